//! The table of SECURITY.md names tests, and this finds them.

use std::fs;
use std::path::Path;

/// Every line of Rust below a folder.
fn sources(folder: &Path, lines: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.ends_with("target") {
            // What a package of its own was built into.
        } else if path.is_dir() {
            sources(&path, lines);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            lines.extend(text.lines().map(|line| line.trim().to_owned()));
        }
    }
}

#[test]
fn every_test_that_the_table_names_exists() {
    let root = crate::root();
    let text = fs::read_to_string(root.join("SECURITY.md")).expect("SECURITY.md");
    let mut lines = Vec::new();
    sources(&root.join("tests"), &mut lines);
    sources(&root.join("src"), &mut lines);
    let is_test = |name: &str| {
        let head = format!("fn {name}() {{");
        let at = lines.iter().position(|line| *line == head);
        at.is_some_and(|at| {
            let above = lines[..at].iter().rev();
            above
                .take_while(|line| line.starts_with('#'))
                .any(|line| line == "#[test]")
        })
    };
    let mut rows = 0;
    let table = text
        .lines()
        .skip_while(|line| *line != "| bug | tests | jotmill |");
    for row in table.skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 3, "{row}");
        // A name is between each odd grave accent and the next.
        let names: Vec<&str> = cells[1].split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{row}");
        for name in names {
            assert!(is_test(name), "{name} is no test");
        }
        rows += 1;
    }
    assert!(rows > 30, "{rows}");
}
