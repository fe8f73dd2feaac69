//! `jotmill gen` as its user meets it: the command that it prints, what it leaves alone, and what
//! it replaces.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::program::{Place, assert_cannot, code, stderr, stdout};

fn made(place: &Place, args: &str) -> String {
    let args: Vec<&str> = ["gen"].into_iter().chain(args.split(' ')).collect();
    let output = place.run(&args);
    assert_eq!(code(&output), 0, "{args:?}: {}", stderr(&output));
    stdout(&output)
}

/// Every file below a folder, by its path from there, with its content; none where there is no
/// folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("UTF-8");
        if entry.path().is_dir() {
            let below = files(&entry.path()).into_iter();
            found.extend(below.map(|(path, content)| (format!("{name}/{path}"), content)));
            found.insert(format!("{name}/"), Vec::new());
        } else {
            found.insert(name, fs::read(entry.path()).expect("a file"));
        }
    }
    found
}

/// The names of all files below a folder.
fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

#[cfg(unix)]
#[test]
fn the_printed_command_runs_in_a_shell_whatever_the_folder_is_called() {
    let folder = "Ann's $HOME; \"data\"";
    for options in [
        &["--alg", "HS256,ES256", "--key-forms", "spki"][..],
        &["--issuers", "2"],
    ] {
        let place = Place::new();
        let args = [&["gen", folder, "--count", "40"], options].concat();
        let output = place.run(&args);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let printed = stdout(&output);
        let binary = format!("'{}' audit ", env!("CARGO_BIN_EXE_jotmill"));
        assert_eq!(printed.matches("\njotmill audit ").count(), 1, "{printed}");
        // All of what is printed, the comment as well, as somebody would paste it.
        let script = printed.replace("\njotmill audit ", &format!("\n{binary}"));
        let run = std::process::Command::new("sh")
            .args(["-c", &script])
            .current_dir(place.path(""))
            .output()
            .expect("a shell");
        assert_eq!(code(&run), 0, "{script}\n{}", stderr(&run));
        assert!(stdout(&run).starts_with("40 tokens, all valid"), "{script}");
    }
}

#[test]
fn a_refused_run_writes_nothing_whichever_file_is_in_its_way() {
    let public = "--alg ES256 --key-forms spki,spki-der";
    for (args, in_the_way) in [
        (public, "truth.ndjson"),
        (public, "keys.json"),
        (public, "key-002.pem"),
        ("--issuers 2", "issuer-2/keys.json"),
        ("--issuers 2", "policy.toml"),
    ] {
        let place = Place::new();
        let path = place.path("data").join(in_the_way);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, "mine").expect("a file");
        let before = files(&place.path("data"));
        let args: Vec<&str> = ["gen", "data"].into_iter().chain(args.split(' ')).collect();
        let output = place.run(&args);
        assert_cannot(&output, &[in_the_way, "exists", "--force"]);
        assert_eq!(files(&place.path("data")), before, "{in_the_way}");
    }
    // A file in the place of a folder keeps the rest from being written as well.
    let place = Place::new();
    fs::create_dir(place.path("data")).expect("a folder");
    place.write("data/issuer-2", "mine");
    let output = place.run(&["gen", "data", "--issuers", "2"]);
    assert_cannot(&output, &["issuer-2"]);
    assert_eq!(names(&place.path("data")), ["issuer-2"]);
}

#[test]
fn leftover_files_of_an_earlier_data_set_are_removed() {
    let of_one = "--count 9 --alg ES256 --key-forms spki,spki-der --keys 4";
    let of_three = "--count 9 --alg ES256 --key-forms spki,jwk --keys 4 --issuers 3";
    let of_two = "--count 9 --alg ES256 --key-forms jwk,spki-der --keys 3 --issuers 2";
    let plain = "--count 9";
    for (earlier, new) in [
        (of_one, plain),
        (of_three, plain),
        (of_one, of_two),
        (of_three, of_two),
        (of_two, of_one),
        (plain, of_three),
        (of_three, of_three),
    ] {
        let place = Place::new();
        made(&place, &format!("data {earlier}"));
        made(&place, &format!("data {new} --force"));
        made(&place, &format!("fresh {new}"));
        let (found, wanted) = (files(&place.path("data")), files(&place.path("fresh")));
        assert!(
            found == wanted,
            "{earlier} and then {new}: {:?}",
            found.keys()
        );
    }
}

#[test]
fn files_that_gen_did_not_create_are_kept() {
    let of_two = "data --count 9 --alg ES256 --key-forms spki --issuers 2";
    // Names that gen does not give, wherever they are.
    let place = Place::new();
    made(&place, of_two);
    let mine = [
        "notes.txt",
        "key-1.pem",
        "my-key-001.pem",
        "keys.json.bak",
        "issuer-1/server.pem",
        "issuer-2/key-9.der",
    ];
    for name in mine {
        place.write(&format!("data/{name}"), "mine");
    }
    for folder in ["issuer-7", "keys", "key-900.pem"] {
        fs::create_dir(place.path("data").join(folder)).expect("a folder");
    }
    place.write("data/issuer-7/keys.json", "mine");
    made(&place, "data --count 9 --force");
    let left = files(&place.path("data"));
    let mut wanted = mine.to_vec();
    wanted.extend([
        "issuer-7/keys.json",
        "tokens.txt",
        "truth.ndjson",
        "keys.json",
    ]);
    wanted.extend([
        "issuer-1/",
        "issuer-2/",
        "issuer-7/",
        "keys/",
        "key-900.pem/",
    ]);
    wanted.sort_unstable();
    assert_eq!(left.keys().collect::<Vec<_>>(), wanted);
    assert!(mine.iter().all(|name| left[*name] == b"mine"));

    // A policy of somebody's own, with its keys.
    let place = Place::new();
    fs::create_dir_all(place.path("data/issuer-1")).expect("folders");
    let mine = ["issuer-1/key-000.pem", "issuer-1/keys.json", "policy.toml"];
    for name in mine {
        place.write(&format!("data/{name}"), "mine");
    }
    for _ in 0..2 {
        made(&place, "data --count 9 --force");
        let left = files(&place.path("data"));
        assert!(mine.iter().all(|name| left[*name] == b"mine"));
    }
}

/// Were it let in, it would be removed the next time.
#[test]
fn a_key_that_was_there_before_any_data_set_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path("data")).expect("a folder");
    place.write("data/key-007.pem", "mine");
    for more in [&[][..], &["--force"]] {
        let output = place.run(&[&["gen", "data"], more].concat());
        assert_cannot(&output, &["key-007.pem", "choose another folder"]);
        assert_eq!(names(&place.path("data")), ["key-007.pem"]);
    }
    // As long as it is not a file of the new one.
    let public = "data --count 9 --alg ES256 --key-forms spki --keys 8";
    made(&place, &format!("{public} --force"));
    assert_ne!(place.read("data/key-007.pem"), "mine");
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_when_files_are_removed() {
    let place = Place::new();
    made(
        &place,
        "data --count 9 --alg ES256 --key-forms spki --issuers 2",
    );
    fs::create_dir(place.path("elsewhere")).expect("a folder");
    place.write("elsewhere/key-000.pem", "mine");
    fs::remove_dir_all(place.path("data/issuer-2")).expect("removed");
    let link = std::os::unix::fs::symlink::<std::path::PathBuf, _>;
    link(place.path("elsewhere"), place.path("data/issuer-2")).expect("a link");
    link(
        place.path("elsewhere/key-000.pem"),
        place.path("data/key-000.pem"),
    )
    .expect("a link");
    made(&place, "data --count 9 --force");
    assert_eq!(files(&place.path("elsewhere"))["key-000.pem"], b"mine");
    assert!(place.path("data/key-000.pem").is_symlink());
    assert!(!place.path("data/issuer-1").exists());
}

#[test]
fn several_issuers_of_one_shape_are_refused_with_what_to_do() {
    let place = Place::new();
    let output = place.run(&["gen", "data", "--issuers", "2", "--shape", "bench:220"]);
    assert_cannot(
        &output,
        &["issuers: 2 is too many", "`bench:220`", "`mixed`"],
    );
    assert!(!place.path("data").exists());
}

/// A name of its own, under the code of a key that is not there.
#[test]
fn tokens_that_another_issuer_signed_are_made_by_name_and_refused_by_the_audit() {
    let place = Place::new();
    let mix = "foreign-issuer-key=20%";
    made(
        &place,
        &format!("data --count 50 --issuers 3 --defects {mix}"),
    );
    let truth = place.read("data/truth.ndjson");
    assert_eq!(truth.matches(r#"["key-not-found"]"#).count(), 10);
    let audit = "audit --policy data/policy.toml --now 1790000000 data/tokens.txt";
    let output = place.run(&audit.split(' ').collect::<Vec<_>>());
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let report = stdout(&output);
    assert!(report.contains("why 10 tokens were rejected"), "{report}");
    assert!(report.contains("key-not-found"), "{report}");
    let of_one = place.run(&["gen", "one", "--defects", mix]);
    assert_cannot(
        &of_one,
        &["`foreign-issuer-key`", "ask for several issuers"],
    );
}
