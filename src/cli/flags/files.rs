//! Flags on which files are read, beside those that are named.

use std::path::{Path, PathBuf};

use clap::Args;
use globset::{GlobBuilder, GlobMatcher};

/// Which files are read.
#[derive(Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct FileFlags {
    /// Read the files in folders, and in the folders in these, in the order of their paths. Symbolic
    /// links, pipes, sockets and devices in them are skipped.
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Of the files in folders, read only those that match: *.log by name, app/**/*.gz by the path
    /// below the folder given. Repeatable.
    #[arg(long, value_name = "GLOB", value_parser = glob, requires = "recursive")]
    pub(crate) include: Vec<PathGlob>,
    /// Of the files and folders in folders, skip those that match, also where --include does.
    /// Repeatable.
    #[arg(long, value_name = "GLOB", value_parser = glob, requires = "recursive")]
    pub(crate) exclude: Vec<PathGlob>,
    /// Also read the files that this file lists, one path a line; - is standard input.
    #[arg(long, value_name = "PATH")]
    pub(crate) files_from: Option<PathBuf>,
    /// Paths in --files-from end with NUL, as from find -print0.
    #[arg(short = '0', long, requires = "files_from")]
    pub(crate) null: bool,
}

impl FileFlags {
    /// Whether the list of files is standard input.
    pub(crate) fn lists_stdin(&self) -> bool {
        (self.files_from.as_ref()).is_some_and(|list| list.as_os_str() == "-")
    }
}

/// A glob for files in a folder: one without `/` matches names, one with it the whole path below the
/// folder. `*` matches no `/`; `**` does.
#[derive(Clone, Debug)]
pub(crate) struct PathGlob {
    matcher: GlobMatcher,
    is_for_names: bool,
}

impl PathGlob {
    /// Whether it matches a path below a folder.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        match (self.is_for_names, path.file_name()) {
            (true, Some(name)) => self.matcher.is_match(name),
            _ => self.matcher.is_match(path),
        }
    }
}

fn glob(text: &str) -> Result<PathGlob, String> {
    let pattern = text.strip_suffix('/').unwrap_or(text);
    let is_for_names = !pattern.contains('/');
    let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
    if pattern.is_empty() {
        return Err("an empty glob matches nothing".to_owned());
    }
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let glob = glob.map_err(|error| error.kind().to_string())?;
    Ok(PathGlob {
        matcher: glob.compile_matcher(),
        is_for_names,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_with_a_slash_is_about_the_path_below_the_folder() {
        for (pattern, path, is_match) in [
            ("*.log", "a.log", true),
            ("*.log", "x/y/a.log", true),
            ("*.log", "a.log.gz", false),
            ("*.log*", ".log", true),
            ("old", "x/old", true),
            ("old/", "x/old", true),
            ("/old", "x/old", false),
            ("/old", "old", true),
            ("x/*.log", "x/a.log", true),
            ("x/*.log", "x/y/a.log", false),
            ("x/**/*.log", "x/y/z/a.log", true),
            ("**/y/*", "x/y/a", true),
            ("a.{log,txt}", "x/a.txt", true),
            ("a.[0-9]", "a.1", true),
            ("A.log", "a.log", false),
        ] {
            let found = glob(pattern).unwrap().matches(Path::new(path));
            assert_eq!(found, is_match, "{pattern} {path}");
        }
        for wrong in ["", "/", "[", "{a"] {
            assert!(glob(wrong).is_err(), "{wrong}");
        }
    }
}
