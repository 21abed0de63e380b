//! Shows a [`Tally`] on a terminal: [`render`].
//!
//! What a person looks for stands last, where the terminal stops: what came out, what was not read, the gate.
//! It measures nothing itself: width and colour are given.

mod issues;
mod pictures;

use crate::{
    finding::Verdict,
    judgement::Hearing,
    report::{
        coverage, earlier, foreign, judged,
        layout::{self, Ink, NARROWEST},
        masks, sizes,
        summary::{self, Directory},
        words,
    },
    tally::{
        Member, Tally,
        gate::{Gate, GateResult},
        since::{Became, Carried},
        verdict,
    },
};

/// Characters of a claim that are shown.
const CLAIM_SHOWN: usize = 500;

/// Unusable texts shown.
const REJECTS_SHOWN: usize = 3;

/// The tally for a terminal `width` columns wide (at least 40 are used), with a final newline. Without `color`
/// the text holds no escape at all.
pub fn render(tally: &Tally, gate: &Gate, width: usize, color: bool) -> String {
    let screen = Screen {
        tally,
        width: width.max(NARROWEST),
        ink: Ink { on: color },
        heard: summary::heard(tally).len(),
        directory: Directory::of(tally),
    };
    let sections = [
        screen.subject(),
        screen.convergent(),
        screen.single(),
        screen.refuted(),
        screen.still_open(),
        screen.dismissed(),
        screen.fixed(),
        screen.unplaced(),
        screen.taken_back(),
        screen.rejects(),
        screen.left_out(),
        screen.masked(),
        screen.bundles(),
        screen.grid(),
        screen.engagement(),
        screen.reviewers(),
        screen.result(gate),
    ];
    let shown: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    shown.join("\n")
}

/// What every section needs to know.
struct Screen<'a> {
    tally: &'a Tally,
    width: usize,
    ink: Ink,
    heard: usize,
    directory: Directory<'a>,
}

impl Screen<'_> {
    /// Which change and which run.
    fn subject(&self) -> String {
        let parts = [("", &self.tally.range.spec), ("run ", &self.tally.run.id)];
        let told = parts.iter().filter(|(_, text)| !text.is_empty());
        let told: Vec<String> =
            told.map(|(label, text)| format!("{label}{}", foreign::one_line(text))).collect();
        if told.is_empty() {
            return String::new();
        }
        let mut out = self.ink.faint(&layout::wrap(&told.join(", "), self.width).join("\n")) + "\n";
        if let Some(line) = earlier::scope_line(self.tally) {
            out += &(layout::wrap_hanging(&words::sentence(&line), self.width, "", "  ").join("\n") + "\n");
        }
        out
    }

    /// What nobody reports now and still stands.
    fn still_open(&self) -> String {
        self.earlier("Still open from the last review, not reported now", earlier::open(self.tally))
    }

    fn fixed(&self) -> String {
        self.earlier("Fixed since the last review", earlier::of(self.tally, Became::Fixed))
    }

    fn earlier<'b>(&self, title: &str, issues: impl Iterator<Item = &'b Carried>) -> String {
        let issues: Vec<&Carried> = issues.collect();
        if issues.is_empty() {
            return String::new();
        }
        let line = |one: &&Carried| {
            let severity = one.issue.severity;
            let text = format!("{severity} {} {}", one.issue.id, earlier::line(one, CLAIM_SHOWN));
            let shown = self.indented(&text);
            if one.became == Became::Fixed {
                return shown;
            }
            shown.replacen(severity.word(), &self.ink.severity(severity, severity.word()), 1)
        };
        self.title(title, issues.len()) + &issues.iter().map(line).collect::<String>()
    }

    /// What a human decided to be false or not to be repaired: told in short, with the decision.
    fn dismissed(&self) -> String {
        let issues: Vec<_> = summary::dismissed(self.tally).collect();
        let earlier: Vec<&Carried> = earlier::of(self.tally, Became::Dismissed).collect();
        if issues.is_empty() && earlier.is_empty() {
            return String::new();
        }
        let mut out = self.title("Dismissed by a human, not counted", issues.len() + earlier.len());
        for (issue, disposition) in issues {
            let (id, place) = (self.directory.short_id(issue), summary::place(issue));
            let decided = summary::decided_words(disposition);
            out += &self.indented(&format!("{id} {} {place} {decided}", issue.severity));
            let claim = summary::spokesman(issue).map(claim).unwrap_or_default();
            out += &(layout::wrap_hanging(&claim, self.width, "    ", "    ").join("\n") + "\n");
        }
        for one in earlier {
            let decided = one.issue.disposition.as_ref().map(summary::decided_words).unwrap_or_default();
            let (severity, id, place) = (one.issue.severity, &one.issue.id, earlier::place(one));
            out += &self.indented(&format!("{id} {severity} {place} {decided}; not reported now"));
            let claim = words::in_brief(&one.issue.what, CLAIM_SHOWN);
            out += &(layout::wrap_hanging(&claim, self.width, "    ", "    ").join("\n") + "\n");
        }
        out
    }

    fn unplaced(&self) -> String {
        let members = summary::unplaced(self.tally);
        if members.is_empty() {
            return String::new();
        }
        let lines = members.iter().map(|member| {
            let severity = member.anchored.finding.severity;
            let text = format!("{severity} {}: {}", member.reviewer, claim(member));
            self.indented(&text).replacen(severity.word(), &self.ink.severity(severity, severity.word()), 1)
        });
        self.title("Without a place in the change", members.len()) + &lines.collect::<String>()
    }

    fn taken_back(&self) -> String {
        let lines = summary::retracted(self.tally).into_iter().map(|member| {
            let finding = &member.anchored.finding;
            let place = match foreign::one_line(&finding.where_text) {
                place if place.is_empty() => String::new(),
                place => format!(" on {place}"),
            };
            let told = format!(
                "({} emitted a {}{place} and took it back: {})",
                member.reviewer,
                finding.severity,
                claim(member)
            );
            layout::wrap_hanging(&told, self.width, "", " ")
                .into_iter()
                .map(|line| self.ink.faint(&line) + "\n")
                .collect::<String>()
        });
        lines.collect()
    }

    fn rejects(&self) -> String {
        let rejects = &self.tally.rejects;
        if rejects.is_empty() {
            return String::new();
        }
        let mut out = self.title("Not usable, kept in the replies", rejects.len());
        for reject in rejects.iter().take(REJECTS_SHOWN) {
            let bundle = words::bundle_name(&reject.bundle);
            let first = foreign::lines(&reject.text).into_iter().find(|line| !line.trim().is_empty());
            let text = words::shortened(first.unwrap_or_default().trim(), 2 * self.width);
            let reason = foreign::one_line(&reject.reason);
            out += &self.indented(&format!("{} on {bundle}: {reason}: \"{text}\"", reject.reviewer));
        }
        if rejects.len() > REJECTS_SHOWN {
            out += &self.indented(&format!("and {} more", rejects.len() - REJECTS_SHOWN));
        }
        out
    }

    fn left_out(&self) -> String {
        let lines = coverage::excluded_lines(&self.tally.excluded);
        if lines.is_empty() {
            return String::new();
        }
        let title = self.title("Files not shown to reviewers", self.tally.excluded.len());
        lines.iter().fold(title, |out, line| out + &self.indented(line))
    }

    fn masked(&self) -> String {
        let masks = &self.tally.run.masks;
        if masks.is_empty() {
            return String::new();
        }
        let title = self.title("Credentials masked for reviewers", masks::count(masks));
        masks::lines(masks).iter().fold(title, |out, line| out + &self.indented(line))
    }

    fn bundles(&self) -> String {
        let heads = summary::bundle_heads(self.tally);
        let widest =
            heads.iter().map(|(_, head)| layout::width_of(head)).max().unwrap_or(0).min(self.width / 2);
        let found = summary::by_bundle(self.tally);
        let lines = heads.iter().map(|(id, head)| {
            let found = found.get(id).map_or("not read by anybody".to_owned(), |found| {
                format!("{} convergent / {} distinct", found.convergent, found.distinct)
            });
            let pad = " ".repeat(widest.saturating_sub(layout::width_of(head)));
            let line = format!("{head}{pad} → {found}");
            layout::wrap_hanging(&line, self.width, "", "  ").join("\n") + "\n"
        });
        lines.collect()
    }

    /// Who said what in the end, and what it took where several took something.
    fn reviewers(&self) -> String {
        let mut out = String::new();
        let mut verdicts = coverage::verdicts(self.tally);
        let mut spent = coverage::spent_by_reviewer(self.tally);
        if spent.len() == 1 {
            spent.clear();
        }
        for reviewer in &self.tally.panel.reviewers {
            let offline = reviewer.provider == "builtin";
            let said = verdicts.remove(&reviewer.id).filter(|said| !(offline && said == "no verdict"));
            let told = match (said, spent.remove(&reviewer.id)) {
                (Some(said), Some(spent)) => format!(" says {said} ({spent})"),
                (Some(said), None) => format!(" says {said}"),
                (None, Some(spent)) => format!(": {spent}"),
                (None, None) => continue,
            };
            let lineage = foreign::one_line(reviewer.lineage.as_str());
            let line = format!("{} ({lineage}){told}", reviewer.id);
            out += &(layout::wrap_hanging(&line, self.width, "", "  ").join("\n") + "\n");
        }
        out
    }

    fn result(&self, gate: &Gate) -> String {
        let mut out = String::new();
        let bundles = summary::bundle_heads(self.tally).len();
        for gap in coverage::gaps(self.tally) {
            let because = if gap.reason.is_empty() { String::new() } else { format!(": {}", gap.reason) };
            let line = format!("! {} {}{because}", gap.reviewer, gap.event(bundles));
            out += &self.alarm_lines(&line);
        }
        for substitution in coverage::substitutions(self.tally) {
            let line = format!("{}: {}", substitution.reviewer, substitution.event(bundles));
            out += &(layout::wrap_hanging(&line, self.width, "", "  ").join("\n") + "\n");
        }
        for (reviewer, remark) in coverage::remarks(self.tally, bundles) {
            let line = format!("{reviewer}: {remark}");
            out += &(layout::wrap_hanging(&line, self.width, "", "  ").join("\n") + "\n");
        }
        for line in coverage::routed(self.tally) {
            out += &(layout::wrap_hanging(&words::sentence(&line), self.width, "", "  ").join("\n") + "\n");
        }
        if let Some(growth) = sizes::growth_in_short(&self.tally.run.growth) {
            out += &(layout::wrap(&format!("Context: {growth}"), self.width).join("\n") + "\n");
        }
        out += &self.coverage_line();
        if let Some(judged) = judged::in_short(self.tally) {
            let line = format!("Judged: {judged}");
            let whole = self.tally.judgements.hearings().all(Hearing::is_answered);
            out += &if whole {
                layout::wrap(&line, self.width).join("\n") + "\n"
            } else {
                self.alarm_lines(&line)
            };
        }
        out += &self.strong_lines(&words::sentence(&summary::headline(self.tally)));
        let conclusion = verdict::conclude(self.tally, gate);
        let line = words::sentence(&summary::verdict_line(&conclusion));
        out += &match conclusion.verdict {
            Some(Verdict::Ship | Verdict::ShipWithFixes) => self.strong_lines(&line),
            Some(Verdict::Hold) | None => self.alarm_lines(&line),
        };
        let line = words::sentence(&summary::gate_line(gate));
        out += &match gate.result {
            GateResult::Fail | GateResult::Inconclusive => self.alarm_lines(&line),
            GateResult::Pass => self.strong_lines(&line),
            GateResult::Off => String::new(),
        };
        out
    }

    fn coverage_line(&self) -> String {
        let by = summary::heard_words(self.heard);
        let note = summary::unchecked_words(self.tally);
        let spent = coverage::spent_in_all(self.tally).map(|spent| format!(" ({spent})")).unwrap_or_default();
        let line = format!("Coverage: {}{by}{spent}{note}", coverage::in_short(self.tally));
        let (whole, all) = coverage::answered(self.tally);
        if whole < all { self.alarm_lines(&line) } else { layout::wrap(&line, self.width).join("\n") + "\n" }
    }

    fn alarm_lines(&self, text: &str) -> String {
        self.ink.alarm(&layout::wrap_hanging(text, self.width, "", "  ").join("\n")) + "\n"
    }

    fn strong_lines(&self, text: &str) -> String {
        self.ink.strong(&layout::wrap(text, self.width).join("\n")) + "\n"
    }

    fn title(&self, text: &str, count: usize) -> String {
        self.ink.strong(&format!("{text} ({count})")) + "\n"
    }

    fn indented(&self, text: &str) -> String {
        layout::wrap_hanging(text, self.width, "  ", "    ").join("\n") + "\n"
    }
}

/// The claim in prose: code blocks are left to the longer reports, and so is what would fill a screen.
fn claim(member: &Member) -> String {
    let what = &member.anchored.finding.what;
    let prose = what.split("```").next().unwrap_or_default();
    let more = if prose.len() < what.len() { " …" } else { "" };
    words::shortened(&(foreign::one_line(prose) + more), CLAIM_SHOWN)
}
