//! Says which files are not shown to reviewers, and why; the main type is [`Scope`].
//!
//! What is left out is always listed. A diff's author must not be able to hide hand-written code by what he adds:
//! in a file that was there before, only text that stands at the base counts (unchanged or removed lines); a new
//! file that calls itself generated is believed, and listed.

use std::collections::HashSet;

use super::{
    ExcludeReason, SplitError, SplitRules, component::Component, component::safe_name, globs::Globs,
    ignored::Ignored,
};
use crate::change::{Content, FilePatch, FileStatus, Hunk, HunkLine, LineKind, RepoPath};

/// A generated-code marker counts within this many lines of the file's start.
const MARKER_LINES: u32 = 40;
/// A script whose lines are mostly longer than this, in bytes, was written by a minifier.
const LONG_LINE: usize = 500;

/// Lockfiles of the usual package managers, by file name.
const LOCKFILES: [&str; 51] = [
    ".terraform.lock.hcl",
    "Brewfile.lock.json",
    "Cargo.lock",
    "Cargo.Bazel.lock",
    "Cartfile.resolved",
    "Chart.lock",
    "Gemfile.lock",
    "Gopkg.lock",
    "MODULE.bazel.lock",
    "Package.resolved",
    "Pipfile.lock",
    "Podfile.lock",
    "buildscript-gradle.lockfile",
    "bun.lock",
    "bun.lockb",
    "cabal.project.freeze",
    "composer.lock",
    "conan.lock",
    "conda-lock.yml",
    "deno.lock",
    "dub.selections.json",
    "esy.lock",
    "flake.lock",
    "gems.locked",
    "glide.lock",
    "go.sum",
    "go.work.sum",
    "gradle.lockfile",
    "mix.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "packages.lock.json",
    "paket.lock",
    "pdm.lock",
    "pixi.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "pubspec.lock",
    "pylock.toml",
    "rebar.lock",
    "renv.lock",
    "requirements-dev.lock",
    "requirements.lock",
    "shard.lock",
    "spago.lock",
    "stack.yaml.lock",
    "symfony.lock",
    "uv.lock",
    "vcpkg-lock.json",
    "verification-metadata.xml",
    "yarn.lock",
];

/// Folders that hold other people's code, anywhere in a path. `vendor` is not among them: deep in a tree it may well be
/// a word of the trade.
const VENDOR_FOLDERS: [&str; 13] = [
    ".venv",
    "3rd_party",
    "3rdparty",
    "Carthage",
    "Godeps",
    "Pods",
    "_vendor",
    "bower_components",
    "node_modules",
    "site-packages",
    "third-party",
    "third_party",
    "thirdparty",
];

/// Ends of file names that only generators use. Test snapshots are not among them: they show what changed.
const GENERATED_ENDS: [&str; 27] = [
    ".Designer.cs",
    ".css.map",
    ".designer.cs",
    ".freezed.dart",
    ".g.cs",
    ".g.dart",
    ".g.i.cs",
    ".gen.go",
    ".js.map",
    ".mjs.map",
    ".pb.cc",
    ".pb.cpp",
    ".pb.dart",
    ".pb.go",
    ".pb.gw.go",
    ".pb.h",
    ".pb.swift",
    ".pb.validate.go",
    ".pbenum.dart",
    ".pbjson.dart",
    "_grpc_pb.js",
    "_pb.d.ts",
    "_pb.js",
    "_pb.rb",
    "_pb2.py",
    "_pb2.pyi",
    "_pb2_grpc.py",
];

const MINIFIED_ENDS: [&str; 8] =
    [".min.cjs", ".min.css", ".min.js", ".min.mjs", "-min.css", "-min.js", ".pack.js", ".bundle.min.js"];

/// Which files were asked for.
pub(super) struct Scope<'a> {
    ignored: Ignored,
    include: Option<Globs>,
    exclude: Globs,
    components: Option<HashSet<&'a str>>,
}

impl<'a> Scope<'a> {
    /// Reads the globs and component names of `rules`; `components` are those of the change.
    pub(super) fn new(rules: &SplitRules, components: &'a [Component]) -> Result<Self, SplitError> {
        let include = Globs::grouped([&rules.include])?;
        Ok(Self {
            ignored: Ignored::new(&rules.ignored)?,
            include: (!rules.include.is_empty()).then_some(include),
            exclude: Globs::grouped([&rules.exclude])?,
            components: asked(&rules.only_components, components)?,
        })
    }

    /// Why `file` of `component` is left out; `None` when it is shown. What must not be shown comes first, then what the
    /// user asked for.
    pub(super) fn reason(&self, file: &FilePatch, component: &Component) -> Option<ExcludeReason> {
        if self.ignored.hides(file) {
            return Some(ExcludeReason::Ignored);
        }
        let is_included = self.include.as_ref().is_none_or(|globs| globs.matches(&file.path));
        if !is_included || self.exclude.matches(&file.path) {
            return Some(ExcludeReason::Filtered);
        }
        if self.components.as_ref().is_some_and(|names| !names.contains(component.name.as_str())) {
            return Some(ExcludeReason::OtherComponent);
        }
        by_kind(file)
    }
}

fn asked<'a>(names: &[String], components: &'a [Component]) -> Result<Option<HashSet<&'a str>>, SplitError> {
    if names.is_empty() || components.is_empty() {
        return Ok(None);
    }
    let find = |asked: &String| {
        let is_meant = |name: &str| name == asked || name == safe_name(asked.as_bytes());
        let found = components.iter().map(|component| component.name.as_str()).find(|name| is_meant(name));
        found.ok_or_else(|| SplitError::NoSuchComponent { name: asked.clone(), known: known(components) })
    };
    names.iter().map(find).collect::<Result<_, _>>().map(Some)
}

fn known(components: &[Component]) -> Vec<String> {
    let mut names: Vec<String> = components.iter().map(|component| component.name.clone()).collect();
    names.sort();
    names
}

fn by_kind(file: &FilePatch) -> Option<ExcludeReason> {
    let name = String::from_utf8_lossy(file.path.file_name());
    let ends_in = |ends: &[&str]| ends.iter().any(|end| name.len() > end.len() && name.ends_with(end));
    if file.content == Content::Binary {
        Some(ExcludeReason::Binary)
    } else if is_pointer(file) {
        None
    } else if LOCKFILES.contains(&name.as_ref()) {
        Some(ExcludeReason::Lockfile)
    } else if is_vendored(&file.path) {
        Some(ExcludeReason::Vendored)
    } else if ends_in(&MINIFIED_ENDS) || is_script(&name) && looks_minified(file) {
        Some(ExcludeReason::Minified)
    } else if file.generated || ends_in(&GENERATED_ENDS) || has_generated_name(&name) || has_marker(file) {
        Some(ExcludeReason::Generated)
    } else {
        None
    }
}

/// `vendor` counts where package managers put it: at the root, or beside a package at most two folders down.
fn is_vendored(path: &RepoPath) -> bool {
    let mut folders = path.parent().split(|byte| *byte == b'/').enumerate();
    folders.any(|(depth, folder)| {
        VENDOR_FOLDERS.iter().any(|name| name.as_bytes() == folder)
            || depth < 3 && folder == b"vendor" && !in_source(path)
    })
}

/// Whether a folder of own code stands above `vendor`: what is in `src/vendor/` or `app/models/vendor/` is about vendors.
fn in_source(path: &RepoPath) -> bool {
    let above = path.parent().split(|byte| *byte == b'/').take_while(|folder| *folder != b"vendor");
    above
        .into_iter()
        .any(|folder| [&b"src"[..], b"app", b"lib", b"internal", b"pkg", b"cmd"].contains(&folder))
}

/// Links and submodule pointers are a line long and this repository's own, whatever they are called.
fn is_pointer(file: &FilePatch) -> bool {
    let says_mode =
        |line: &[u8]| line.starts_with(b"index ") || line.windows(6).any(|part| part == b" mode ");
    let mut lines = file.header.split(|byte| *byte == b'\n');
    lines.any(|line| (line.ends_with(b" 120000") || line.ends_with(b" 160000")) && says_mode(line))
}

fn has_generated_name(name: &str) -> bool {
    name.contains(".generated.") || name.starts_with("zz_generated.")
}

fn is_script(name: &str) -> bool {
    [".js", ".mjs", ".cjs", ".css"].iter().any(|end| name.ends_with(end))
}

/// Whether most lines of code that stood here before, of a new file most of all, are very long.
fn looks_minified(file: &FilePatch) -> bool {
    let (mut long, mut all) = (0, 0);
    for line in file.hunks.iter().flat_map(Hunk::lines).filter(|line| is_trusted(file, line)) {
        let text = line.text.trim_ascii();
        if text.is_empty()
            || [&b"/*"[..], b"*", b"//"].iter().any(|mark| text.starts_with(mark)) && text.len() <= LONG_LINE
        {
            continue;
        }
        all += 1;
        long += usize::from(text.len() > LONG_LINE);
    }
    long * 2 > all
}

/// Whether the text was there at the base, or all of the file is new.
fn is_trusted(file: &FilePatch, line: &HunkLine<'_>) -> bool {
    file.status == FileStatus::Added || line.kind != LineKind::Added
}

/// Whether a comment near the file's start says that a program wrote it.
///
/// In a file that stays, the comment must be unchanged: one that this change removes makes the file hand-written.
fn has_marker(file: &FilePatch) -> bool {
    let stays = |line: &HunkLine<'_>| match file.status {
        FileStatus::Added | FileStatus::Deleted => true,
        FileStatus::Modified | FileStatus::Renamed | FileStatus::Copied | FileStatus::TypeChanged => {
            line.kind == LineKind::Context
        }
    };
    let near_start =
        |line: &HunkLine<'_>| line.old.max(line.new).is_some_and(|number| number <= MARKER_LINES);
    let first = file.hunks.first().into_iter().flat_map(Hunk::lines);
    first.take_while(near_start).filter(stays).any(|line| is_marker(line.text))
}

/// Whether a whole line is a comment of the usual forms: `// Code generated by x. DO NOT EDIT.`,
/// `# @generated`, `// <auto-generated>`.
fn is_marker(line: &[u8]) -> bool {
    let Some(comment) = comment_text(&line[..line.len().min(400)]) else { return false };
    let comment = comment.to_ascii_lowercase();
    let word_ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || "-_".contains(c));
    if comment.strip_prefix("@generated").is_some_and(word_ends) || comment.starts_with("<auto-generated") {
        return true;
    }
    let starts = ["this file is ", "this file was ", "this code is ", "this code was ", ""];
    let ways = [
        "code generated",
        "generated",
        "automatically generated",
        "auto-generated",
        "autogenerated",
        "auto generated",
    ];
    let bans = ["do not edit", "don't edit", "do not modify", "do not change"];
    let says = |start: &str| {
        comment.strip_prefix(start).is_some_and(|rest| ways.iter().any(|way| rest.starts_with(way)))
    };
    starts.iter().any(|start| says(start)) && bans.iter().any(|ban| comment.contains(ban))
}

/// The text behind a comment's sign, when the line is a comment.
fn comment_text(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    let text = text.trim();
    let signs = ["//", "/*", "<!--", "--", "#", "*", ";", "%", "(*", "{-", "\"\"\""];
    let sign = signs.iter().find(|sign| text.starts_with(**sign))?;
    let rest = text[sign.len()..].trim_start_matches(|c: char| "/*#;-!".contains(c) || c.is_whitespace());
    Some(rest.to_owned())
}

#[cfg(test)]
mod tests;
