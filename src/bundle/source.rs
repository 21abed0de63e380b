//! Tells from a path what kind of text a file holds and what it is for.
//!
//! The main types are [`Language`] and [`Purpose`]. Judged by names only: no content is looked at.

use serde::Deserialize;

use crate::change::RepoPath;

/// The kind of text in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Language {
    C,
    Cpp,
    CSharp,
    Dockerfile,
    Go,
    GoMod,
    Html,
    Java,
    JavaScript,
    Json,
    Kotlin,
    CargoManifest,
    Makefile,
    Markdown,
    NpmManifest,
    Php,
    Python,
    PythonRequirements,
    Ruby,
    Rust,
    Scala,
    Shell,
    Sql,
    Swift,
    Terraform,
    Toml,
    TypeScript,
    Workflow,
    Yaml,
    Other,
}

/// Every language, in the order of [`Language`]'s discriminants.
pub(crate) const LANGUAGES: [Language; 30] = [
    Language::C,
    Language::Cpp,
    Language::CSharp,
    Language::Dockerfile,
    Language::Go,
    Language::GoMod,
    Language::Html,
    Language::Java,
    Language::JavaScript,
    Language::Json,
    Language::Kotlin,
    Language::CargoManifest,
    Language::Makefile,
    Language::Markdown,
    Language::NpmManifest,
    Language::Php,
    Language::Python,
    Language::PythonRequirements,
    Language::Ruby,
    Language::Rust,
    Language::Scala,
    Language::Shell,
    Language::Sql,
    Language::Swift,
    Language::Terraform,
    Language::Toml,
    Language::TypeScript,
    Language::Workflow,
    Language::Yaml,
    Language::Other,
];

impl Language {
    /// The name that rule files use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::C => "c",
            Self::Cpp => "cpp",
            Self::CSharp => "csharp",
            Self::Dockerfile => "dockerfile",
            Self::Go => "go",
            Self::GoMod => "go-mod",
            Self::Html => "html",
            Self::Java => "java",
            Self::JavaScript => "javascript",
            Self::Json => "json",
            Self::Kotlin => "kotlin",
            Self::CargoManifest => "cargo-manifest",
            Self::Makefile => "makefile",
            Self::Markdown => "markdown",
            Self::NpmManifest => "npm-manifest",
            Self::Php => "php",
            Self::Python => "python",
            Self::PythonRequirements => "python-requirements",
            Self::Ruby => "ruby",
            Self::Rust => "rust",
            Self::Scala => "scala",
            Self::Shell => "shell",
            Self::Sql => "sql",
            Self::Swift => "swift",
            Self::Terraform => "terraform",
            Self::Toml => "toml",
            Self::TypeScript => "typescript",
            Self::Workflow => "workflow",
            Self::Yaml => "yaml",
            Self::Other => "other",
        }
    }

    /// The language of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        LANGUAGES.into_iter().find(|language| language.name() == name)
    }

    /// Judges by file name, then extension; the content is never looked at.
    pub(crate) fn of(path: &RepoPath) -> Self {
        let whole = String::from_utf8_lossy(path.as_bytes()).to_ascii_lowercase();
        let name = String::from_utf8_lossy(path.file_name()).to_ascii_lowercase();
        if whole.contains(".github/workflows/")
            && (has_extension(&name, "yml") || has_extension(&name, "yaml"))
        {
            return Self::Workflow;
        }
        Self::of_name(&name)
            .unwrap_or_else(|| Self::of_extension(name.rsplit_once('.').map_or("", |(_, tail)| tail)))
    }

    fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "makefile" | "gnumakefile" | "justfile" => Self::Makefile,
            "go.mod" => Self::GoMod,
            "cargo.toml" => Self::CargoManifest,
            "package.json" => Self::NpmManifest,
            "rakefile" | "gemfile" => Self::Ruby,
            name if name.starts_with("dockerfile") || name == "containerfile" => Self::Dockerfile,
            name if name.starts_with("requirements") && has_extension(name, "txt") => {
                Self::PythonRequirements
            }
            _ => return None,
        })
    }

    fn of_extension(extension: &str) -> Self {
        match extension {
            "c" | "h" => Self::C,
            "cc" | "cpp" | "cxx" | "hh" | "hpp" | "hxx" => Self::Cpp,
            "cs" => Self::CSharp,
            "dockerfile" => Self::Dockerfile,
            "go" => Self::Go,
            "htm" | "html" | "svg" | "vue" | "svelte" | "xml" => Self::Html,
            "java" => Self::Java,
            "cjs" | "js" | "jsx" | "mjs" => Self::JavaScript,
            "json" | "jsonc" | "json5" => Self::Json,
            "kt" | "kts" => Self::Kotlin,
            "mk" => Self::Makefile,
            "adoc" | "markdown" | "md" | "mdx" | "rst" | "txt" => Self::Markdown,
            "php" => Self::Php,
            "py" | "pyi" | "pyw" => Self::Python,
            "rb" | "rake" | "gemspec" => Self::Ruby,
            "rs" => Self::Rust,
            "scala" | "sc" => Self::Scala,
            "bash" | "sh" | "zsh" | "ksh" => Self::Shell,
            "sql" => Self::Sql,
            "swift" => Self::Swift,
            "tf" | "tfvars" | "hcl" => Self::Terraform,
            "toml" => Self::Toml,
            "cts" | "mts" | "ts" | "tsx" => Self::TypeScript,
            "yaml" | "yml" => Self::Yaml,
            _ => Self::Other,
        }
    }

    /// Whether programs are written in it, as opposed to data, configuration and prose.
    pub(crate) fn is_code(self) -> bool {
        match self {
            Self::C
            | Self::Cpp
            | Self::CSharp
            | Self::Go
            | Self::Java
            | Self::JavaScript
            | Self::Kotlin
            | Self::Php
            | Self::Python
            | Self::Ruby
            | Self::Rust
            | Self::Scala
            | Self::Shell
            | Self::Sql
            | Self::Swift
            | Self::TypeScript => true,
            Self::Dockerfile
            | Self::GoMod
            | Self::Html
            | Self::Json
            | Self::CargoManifest
            | Self::Makefile
            | Self::Markdown
            | Self::NpmManifest
            | Self::PythonRequirements
            | Self::Terraform
            | Self::Toml
            | Self::Workflow
            | Self::Yaml
            | Self::Other => false,
        }
    }
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Purpose {
    /// The product.
    Source,
    /// Tests and their data.
    Tests,
    /// What surrounds the product: examples, benches, scripts, documentation, entry points, settings, copies of code from elsewhere.
    Tooling,
}

const TEST_FOLDERS: &[&str] = &[
    "test",
    "tests",
    "testing",
    "testdata",
    "__tests__",
    "__mocks__",
    "__fixtures__",
    "fixtures",
    "spec",
    "specs",
    "e2e",
    "testsuite",
    "test-utils",
    "testutils",
    "test_utils",
    "test-helpers",
    "mocks",
    "runtime-tests",
    "runtime_tests",
];

const TOOLING_FOLDERS: &[&str] = &[
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "bin",
    "build",
    "ci",
    "cli",
    "cmd",
    "contrib",
    "demo",
    "demos",
    "dist",
    "doc",
    "docs",
    "docs_src",
    "example",
    "examples",
    "hack",
    "perf-measures",
    "playground",
    "sandbox",
    "scripts",
    "tools",
    "website",
    "xtask",
    ".github",
    "_examples",
];

const TOOLING_NAMES: &[&str] = &[
    "build.rs",
    "main.rs",
    "main.go",
    "main.py",
    "__main__.py",
    "setup.py",
    "cli.py",
    "cli.ts",
    "cli.js",
    "conf.py",
    "noxfile.py",
    "manage.py",
    "tasks.py",
    "invokefile.py",
    "fabfile.py",
    "gulpfile.js",
    "rakefile",
];

impl Purpose {
    /// Judges by folders, then by the file's name.
    pub(crate) fn of(path: &RepoPath) -> Self {
        let whole = String::from_utf8_lossy(path.as_bytes()).to_ascii_lowercase();
        let (folders, name) = whole.rsplit_once('/').unwrap_or(("", &whole));
        if folders.split('/').any(is_test_folder) || is_test_name(name) {
            return Self::Tests;
        }
        let is_config = name.contains(".config.") || name.starts_with('.');
        let is_tooling = |part: &str| TOOLING_FOLDERS.contains(&part) || part.ends_with("_dist");
        // Python projects keep copies of other packages in a folder of that name; elsewhere it holds one's own.
        let is_python = has_extension(name, "py");
        let is_copied = |part: &str| {
            matches!(part, "vendor" | "_vendor" | "vendored" | "third_party")
                || is_python && part == "packages"
        };
        if folders.split('/').any(is_tooling)
            || folders.split('/').skip(1).any(is_copied)
            || TOOLING_NAMES.contains(&name)
            || is_config
        {
            return Self::Tooling;
        }
        Self::Source
    }
}

fn is_test_folder(folder: &str) -> bool {
    TEST_FOLDERS.contains(&folder)
        || folder.ends_with("-tests")
        || folder.ends_with("_tests")
        || folder.contains("-test-")
}

fn is_test_name(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let marked = |mark: &str| stem.ends_with(mark);
    stem.starts_with("test_")
        || ["_test", "_tests", ".test", ".spec", "_spec", "-test", "-spec", ".test-d"].into_iter().any(marked)
        || matches!(stem, "conftest" | "test" | "tests" | "testutil" | "test_utils")
        || (has_extension(name, "java") || has_extension(name, "kt") || has_extension(name, "cs"))
            && (marked("test") || marked("tests"))
}

fn has_extension(name: &str, extension: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, tail)| tail == extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_is_told_by_name_and_extension() {
        let check = |path: &str, expect| assert_eq!(Language::of(&path.into()), expect, "{path}");
        check("src/a.rs", Language::Rust);
        check("web/App.TSX", Language::TypeScript);
        check(".github/workflows/ci.yml", Language::Workflow);
        check("deploy/ci.yml", Language::Yaml);
        check("Dockerfile.dev", Language::Dockerfile);
        check("go.mod", Language::GoMod);
        check("requirements-dev.txt", Language::PythonRequirements);
        check("LICENSE", Language::Other);
        assert_eq!(Language::of(&RepoPath::new([0xff, b'.', b'p', b'y'])), Language::Python);
    }

    #[test]
    fn purpose_is_told_by_folder_and_name() {
        let check = |path: &str, expect| assert_eq!(Purpose::of(&path.into()), expect, "{path}");
        check("src/router.ts", Purpose::Source);
        check("src/router.test.ts", Purpose::Tests);
        check("tests/test_a.py", Purpose::Tests);
        check("context_test.go", Purpose::Tests);
        check("src/latest.rs", Purpose::Source);
        check("src/contest.py", Purpose::Source);
        check("src/main/java/RouterTest.java", Purpose::Tests);
        check("cmd/server/run.go", Purpose::Tooling);
        check("crates/cargo-test-macro/src/lib.rs", Purpose::Tests);
        check("vite.config.ts", Purpose::Tooling);
        check("setup.py", Purpose::Tooling);
        check("requests/packages/urllib3/response.py", Purpose::Tooling);
        check("web/packages/ui/button.ts", Purpose::Source);
    }

    #[test]
    fn languages_stand_in_their_own_order() {
        assert!(LANGUAGES.iter().enumerate().all(|(at, language)| *language as usize == at));
    }
}
