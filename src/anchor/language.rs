//! What a file's name says about its language, as far as finding definitions needs it: [`Language`].
//!
//! Languages whose definitions are written alike share a variant. Nothing is read from the file.

/// A family of languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Language {
    Rust,
    Go,
    Python,
    /// JavaScript and TypeScript, also inside Vue and Svelte files.
    Script,
    /// Java, C#, Dart, Groovy: methods without a keyword.
    Java,
    /// Kotlin, Swift, Scala: a keyword before every function.
    Kotlin,
    /// C, C++, Objective-C.
    C,
    Ruby,
    Php,
    Elixir,
    /// Shells and `PowerShell`.
    Shell,
    /// Any other: the defining words of all of them.
    #[default]
    Other,
}

impl Language {
    /// By the extension of `path`.
    pub(super) fn of(path: &str) -> Self {
        let extension = path.rsplit(['/', '.']).next().unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "rs" => Self::Rust,
            "go" => Self::Go,
            "py" | "pyi" | "pyx" => Self::Python,
            "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" | "cts" | "vue" | "svelte" => Self::Script,
            "java" | "cs" | "dart" | "groovy" | "gradle" => Self::Java,
            "kt" | "kts" | "swift" | "scala" | "sc" => Self::Kotlin,
            "c" | "h" | "cc" | "cpp" | "cxx" | "hh" | "hpp" | "hxx" | "inl" | "m" | "mm" | "cu" | "ino" => {
                Self::C
            }
            "rb" | "rake" => Self::Ruby,
            "php" => Self::Php,
            "ex" | "exs" => Self::Elixir,
            "sh" | "bash" | "zsh" | "ksh" | "ps1" | "psm1" => Self::Shell,
            _ => Self::Other,
        }
    }

    /// Whether braces alone say where a block ends, whatever the indentation of the lines in it.
    pub(super) fn has_braces(self) -> bool {
        match self {
            Self::Rust | Self::Go | Self::Script | Self::Java | Self::C | Self::Php | Self::Shell => true,
            Self::Kotlin | Self::Python | Self::Ruby | Self::Elixir | Self::Other => false,
        }
    }

    /// Words that stand right before the name of a function or type.
    pub(super) fn keywords(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &["fn", "struct", "enum", "trait", "impl", "mod", "union", "macro_rules", "type"],
            Self::Go => &["func", "type"],
            Self::Python => &["def", "class"],
            Self::Script => &["function", "class", "interface", "enum", "type"],
            Self::Java => &["class", "interface", "enum", "record", "struct", "extension", "mixin", "def"],
            Self::Kotlin => &[
                "fun",
                "func",
                "def",
                "class",
                "interface",
                "object",
                "enum",
                "struct",
                "protocol",
                "extension",
                "actor",
                "trait",
            ],
            Self::C => &["struct", "class", "enum", "union", "@implementation", "@interface"],
            Self::Ruby => &["def", "class", "module"],
            Self::Php => &["function", "class", "interface", "trait", "enum", "fn"],
            Self::Elixir => {
                &["def", "defp", "defmodule", "defmacro", "defmacrop", "defprotocol", "defimpl", "defguard"]
            }
            Self::Shell => &["function", "class", "filter"],
            Self::Other => &[
                "fn",
                "func",
                "fun",
                "function",
                "def",
                "defp",
                "class",
                "struct",
                "enum",
                "trait",
                "interface",
                "impl",
                "module",
                "type",
                "macro_rules",
                "sub",
                "proc",
                "procedure",
                "contract",
                "record",
                "protocol",
            ],
        }
    }
}
