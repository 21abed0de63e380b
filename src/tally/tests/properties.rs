//! What holds of any findings, in any order.

use proptest::prelude::*;

use super::*;

/// Recorded wordings of issues and small variations, so that same, unclear and different all occur.
fn any_finding() -> impl Strategy<Value = Finding> {
    let paths = prop::sample::select(vec!["a", "b", "b/c", ""]);
    let texts = prop::sample::select(vec![LEAK, LEAK_AGAIN, RACE, "off by one", "reads past the end", ""]);
    let symbols = prop::option::weighted(0.2, prop::sample::select(vec!["open", "close"]));
    let severities = prop::sample::select(vec![Severity::Info, Severity::Warn, Severity::Block]);
    let also = prop::option::weighted(0.2, prop::sample::select(vec!["a:3", "b:20", "b/c:7-9"]));
    let lines = prop::option::of((1..40_u32, 0..4_u32));
    (paths, lines, texts, symbols, severities, prop::bool::weighted(0.1), also).prop_map(
        |(path, lines, what, symbol, severity, retracted, also)| {
            let lines = lines.map(|(start, more)| LineRange::new(start, start + more));
            let symbol = symbol.filter(|_| lines.is_none()).map(str::to_owned);
            let location = (!path.is_empty()).then(|| Location { path: path.to_owned(), lines, symbol });
            let also_at = also.and_then(|also| finding(also, what).location).into_iter().collect();
            Finding { severity, location, also_at, retracted, ..finding(path, what) }
        },
    )
}

fn any_tasks() -> impl Strategy<Value = Vec<Task>> {
    let reviewers = prop::sample::select(vec!["opus", "kimi", "gpt", "odd", "strange"]);
    let bundles = prop::sample::select(vec!["c1_x", "c2_y"]);
    let task = (bundles, reviewers, prop::collection::vec(any_finding(), 0..6));
    prop::collection::vec(task.prop_map(|(bundle, by, findings)| self::task(bundle, by, findings)), 0..8)
}

/// Checks a rule on the findings alone, without the code that applied it.
#[track_caller]
fn holds(members: &[Member], at: usize, join: &Join) {
    let place = |at: usize| &members[at].anchored;
    let answer = |a: usize, b: usize| evidence(&place(a).finding, &place(b).finding).answer;
    let lines_apart = |a: usize, b: usize| Some(place(a).lines?.gap(place(b).lines?));
    let near = |a: usize, nearness: Nearness| match nearness {
        Nearness::Overlap => lines_apart(a, at) == Some(0),
        Nearness::Lines(gap) => lines_apart(a, at) == Some(gap) && (1..=10).contains(&gap),
        Nearness::NamedSymbol | Nearness::SameSymbol => {
            place(a).symbol.is_some() && place(a).symbol == place(at).symbol
        }
        Nearness::WholeFile => place(a).lines.is_none() && place(at).lines.is_none(),
    };
    let holds = match &join.rule {
        Rule::First => at == 0,
        Rule::Claim { to, nearness, same_as, comparison } => {
            *to <= *same_as
                && *same_as < at
                && near(*to, *nearness)
                && answer(*same_as, at) == Sameness::Same
                && comparison.answer == Sameness::Same
        }
        Rule::Place { to, nearness, comparison } => {
            *to < at && nearness.meets() && near(*to, *nearness) && comparison.answer != Sameness::Different
        }
        Rule::Further { to, same_as, .. } => {
            let names = |a: usize, b: usize| place(a).also.iter().any(|also| also.path == place(b).path);
            answer(*same_as, at) == Sameness::Same && (names(*to, at) || names(at, *to))
        }
        Rule::Location { with } => {
            members[*with].reviewer == members[at].reviewer && place(*with).lines == place(at).lines
        }
        Rule::TakenBack { beside, same } => {
            place(at).finding.retracted
                && place(*beside).lines == place(at).lines
                && (*same || members[*beside].reviewer == members[at].reviewer)
        }
    };
    let counted = |at: usize| !place(at).finding.retracted;
    let relative = (0..at)
        .find(|other| counted(*other) && counted(at) && members[*other].lineage == members[at].lineage);
    assert!(holds && join.counts_with == relative, "member {at}: {join:?}");
}

/// Tasks and the same in another order, their findings too.
fn any_shuffled() -> impl Strategy<Value = (Vec<Task>, Vec<Task>)> {
    any_tasks().prop_flat_map(|tasks| {
        let shuffled = Just(tasks.clone()).prop_shuffle();
        (Just(tasks), shuffled, any::<u64>()).prop_map(|(tasks, mut shuffled, turn)| {
            for (_, reading) in &mut shuffled {
                if let Some(findings) =
                    reading.as_mut().map(|one| &mut one.findings).filter(|all| !all.is_empty())
                {
                    let by = usize::try_from(turn % 7).unwrap() % findings.len();
                    findings.rotate_left(by);
                }
            }
            (tasks, shuffled)
        })
    })
}

fn counted(tally: &Tally) -> usize {
    tally.issues.iter().map(|issue| issue.members.len()).sum::<usize>() + tally.unplaced.len()
}

proptest! {
    #[test]
    fn order_never_matters((tasks, shuffled) in any_shuffled()) {
        prop_assert_eq!(tallied(tasks), tallied(shuffled));
    }

    #[test]
    fn nothing_is_thrown_away(tasks in any_tasks(), more in any_tasks()) {
        let found = |tasks: &[Task]| tasks.iter().flat_map(|(_, one)| one).map(|one| one.findings.len()).sum::<usize>();
        let all = [tasks.clone(), more].concat();
        prop_assert_eq!(counted(&tallied(tasks.clone())), found(&tasks));
        prop_assert_eq!(counted(&tallied(all.clone())), found(&all));
    }

    #[test]
    fn every_issue_is_explained_by_rules_that_hold(tasks in any_tasks()) {
        let tally = tallied(tasks);
        for issue in &tally.issues {
            let explanation = explain(&tally, issue).unwrap();
            prop_assert_eq!(explanation.joins.len(), issue.members.len());
            for (at, join) in explanation.joins.iter().enumerate() {
                holds(&issue.members, at, join);
            }
            let by_place = explanation.joins.iter().zip(&issue.members).any(|(join, member)| {
                matches!(join.rule, Rule::Place { to, .. } if issue.members[to].lineage != member.lineage)
            });
            prop_assert!(!issue.is_counted() || by_place == (issue.agreement == Agreement::Place));
            let parted: Vec<_> = explanation.partings.iter().map(|parting| parting.issue.clone()).collect();
            prop_assert_eq!(&parted, &issue.see_also);
            for Parting { because, nearness, comparison, .. } in explanation.partings {
                let differ = comparison.answer == Sameness::Different;
                match because {
                    Because::ClaimsDiffer | Because::MembersDiffer => prop_assert!(differ),
                    Because::OnlyNear => prop_assert!(!differ && !nearness.is_some_and(Nearness::meets)),
                    Because::OneReviewer(by) => prop_assert!(issue.members.iter().any(|one| one.reviewer == by)),
                    Because::Settled | Because::FitsAnother => prop_assert!(!differ),
                }
            }
        }
    }

    #[test]
    fn an_echo_of_the_same_lineage_raises_nothing(tasks in any_tasks()) {
        let echo = tasks.iter().filter(|(one, _)| one.reviewer.as_str() == "opus").cloned().map(|(mut one, reading)| {
            one.reviewer = ReviewerId::new("sonnet").unwrap();
            (one, reading)
        });
        let with_echo: Vec<_> = tasks.iter().cloned().chain(echo).collect();
        let names = |tally: Tally| -> Vec<_> {
            tally.issues.into_iter().map(|one| (one.id, one.agreement, one.lineages, one.severity)).collect()
        };
        prop_assert_eq!(names(tallied(tasks)), names(tallied(with_echo)));
    }

    #[test]
    fn evidence_is_what_the_rule_saw(tasks in any_tasks()) {
        let members: Vec<_> = tallied(tasks).issues.into_iter().flat_map(|one| one.members).collect();
        for (a, b) in members.iter().zip(members.iter().skip(1)) {
            let claim = |one: &Member| Claim::read(&one.anchored.finding.what, &one.anchored.finding.why);
            let seen = evidence(&a.anchored.finding, &b.anchored.finding);
            prop_assert_eq!((seen.answer, seen.least), (claim(a).compare(&claim(b)), claim(a).similarity(&claim(b))));
            let number = |words: usize| f32::from(u16::try_from(words).unwrap());
            let [a, b] = seen.telling.map(|words| (number(words) + 3.0).sqrt());
            prop_assert!((number(seen.shared.len()) / (a * b) - seen.least).abs() < 1e-4, "{seen:?}");
        }
    }

    #[test]
    fn no_issue_has_more_lineages_than_stand_by_it(tasks in any_tasks()) {
        for issue in tallied(tasks).issues {
            let mut standing: Vec<_> = issue.members.iter()
                .filter(|one| !one.anchored.finding.retracted).map(|one| one.lineage.clone()).collect();
            standing.sort();
            standing.dedup();
            prop_assert_eq!(&standing, &issue.lineages);
            prop_assert_eq!(issue.agreement != Agreement::Single, issue.convergence() > 1);
        }
    }
}
