//! Mistakes and their places, and policy files against flags.

use jotmill::Encoding;

use super::*;

fn read(text: &str) -> Result<PolicyFile> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), text)?;
    PolicyFile::read(file.path())
}

#[test]
fn a_mistake_is_reported_with_its_line_and_column() {
    for (text, expected) in [
        (
            "[[issuer]]\niss = \"a\"\nsecret = \"x\"",
            ":3:1: unknown field `secret`",
        ),
        ("# é\nmax_token_bytes = \"1T\"", ":2:19: a size is like"),
        ("[[issuer]]\n\tleeway = \"1w\"", ":2:11: a duration is like"),
        (
            "[[issuer]]\nalg = [\"HS256\", \"HS2\"]",
            ":2:17: jotmill verifies",
        ),
        ("[[issuer]]\nalg = []", ":2:7: an empty list"),
        ("[[issuer]]\naudience = \"\"", ":2:12: an empty string"),
        (
            "[[issuer]]\niss = \"a\"\niss = \"b\"",
            ":3:1: duplicate key",
        ),
        ("[[issuer]]\ntyp = [", ":2:8: "),
        (
            "\u{feff}[[issuer]]\nmax_key_tries = 0",
            ":2:17: a number from 1 on",
        ),
        (
            "[[issuer]]\nrequire = \"client_id=app1\"",
            ":2:11: --require takes names",
        ),
        (
            "[[issuer]]\ntyp = [\"a\", \"b,c\"]",
            ":2:13: a media type has no comma",
        ),
        (
            "[[issuer]]\nclaim = \"client_id\"",
            ":2:9: the expected claim has no value",
        ),
        (
            "[[issuer]]\nclaim = \"n:=null\"",
            ":2:9: the value expected of a claim is null",
        ),
        (
            "[[issuer]]\niss = \"https://{a}{b}/\"",
            ":2:7: an expected issuer has more than one",
        ),
        ("[[issuer]]\ncrit = \"b64\"", ":2:8: b64 cannot"),
        ("[[issuer]]\nscope = \" \"", ":2:9: scopes are names"),
        ("now = 3", ":1:1: unknown field `now`"),
        (
            "strict_keys = true\n[issuer]\niss = \"a\"",
            ":2:1: invalid type: map, expected [[issuer]] in double brackets",
        ),
        ("issuer = 3", ":1:10: invalid type: integer, expected [["),
    ] {
        let error = read(text).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(error.contains(expected), "{expected} is not in {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn the_flags_of_an_issuer_are_those_of_the_command_line() {
    let text = "max_token_bytes = \"4K\"\n[[issuer]]\niss = \"a\"\nalg = \"HS256\"\n\
                audience = [\"b\", \"c\"]\nrequire = \"exp\"\ntyp = \"JWT\"\nleeway = 5\n\
                max_age = \"1h\"\nmax_lifetime = \"2h\"\nmax_key_tries = 7\nkid_hint = true\n\
                claim = [\"c=1\", \"/n~1/x:=1.0\"]\nscope = \"r w\"\ncrit = \"x\"\n\
                subject = \"d\"\nsecret_file = \"hex:s\"\nsecret_env = \"base64:E\"\njwks = \"k\"\n";
    let file = read(text).unwrap();
    let typed = [
        "jotmill",
        "audit",
        "--issuer",
        "a",
        "--alg",
        "HS256",
        "--audience",
        "b",
    ];
    let more = "--audience c --require exp --typ JWT --leeway 5 --max-age 1h --max-lifetime 2h \
                --max-key-tries 7 --kid-hint --subject d --claim c=1 --claim /n~1/x:=1.0 --crit x \
                --scope";
    let typed = typed.into_iter().chain(more.split(' ')).chain(["r w"]);
    let cli = <flags::Cli as clap::Parser>::try_parse_from(typed);
    let Ok(flags::Cli {
        command: flags::Command::Audit(audit),
    }) = cli
    else {
        panic!("the flags are those of an audit");
    };
    let issuer = file.document.issuer[0].get_ref();
    assert!(issuer.policy_flags() == audit.policy);
    assert_eq!(file.max_token_bytes(&PolicyFlags::default()), Some(4096));
    let folder = file.path.parent().unwrap();
    let keys = file.key_flags(issuer);
    assert_eq!(keys.jwks, [folder.join("k")]);
    let secret = |encoding, place: &Path| Secret {
        encoding,
        place: place.into(),
    };
    assert_eq!(keys.secret_file, [secret(Encoding::Hex, &folder.join("s"))]);
    assert_eq!(keys.secret_env, [secret(Encoding::Base64, Path::new("E"))]);
}
