//! Names of issuers with placeholders, such as `https://login.example.com/{tid}/v2.0`.
//!
//! Owns what a template is, which names it matches, and whether two templates can match one name.
//! That a placeholder equals a claim is checked by the policy, on a verified payload.

use std::fmt;

/// An expected issuer with at least one placeholder.
///
/// The text is split at `/`. A segment is compared exactly, or has one placeholder: `{name}` with
/// literal text before and behind it, either of which may be empty. A placeholder matches one or
/// more characters other than `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IssuerTemplate {
    text: Box<str>,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(Box<str>),
    Placeholder {
        before: Box<str>,
        name: Box<str>,
        behind: Box<str>,
    },
}

impl Segment {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let Some((before, rest)) = text.split_once('{') else {
            return match text.contains('}') {
                true => Err("a } without a {"),
                false => Ok(Self::Literal(text.into())),
            };
        };
        let (name, behind) = rest.split_once('}').ok_or("a { without a }")?;
        if [before, name, behind].concat().contains(['{', '}']) {
            return Err("more than one placeholder between two slashes");
        }
        match name {
            "" => Err("a placeholder without a name"),
            "iss" => Err("{iss}, which names the claim itself"),
            _ => Ok(Self::Placeholder {
                before: before.into(),
                name: name.into(),
                behind: behind.into(),
            }),
        }
    }

    /// What the placeholder matches, if there is one; `None` where the segment does not match.
    fn captured<'n>(&self, name: &'n str) -> Option<&'n str> {
        match self {
            Self::Literal(text) => (**text == *name).then_some(""),
            Self::Placeholder { before, behind, .. } => {
                let rest = name.strip_prefix(&**before)?;
                let own = rest.strip_suffix(&**behind)?;
                (!own.is_empty()).then_some(own)
            }
        }
    }

    /// Whether some text matches both.
    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(text), segment) | (segment, Self::Literal(text)) => {
                segment.captured(text).is_some()
            }
            (
                Self::Placeholder { before, behind, .. },
                Self::Placeholder {
                    before: other_before,
                    behind: other_behind,
                    ..
                },
            ) => {
                // Then the longer of each, around any character, matches both.
                let is_start = |one: &str, other: &str| one.starts_with(other);
                let is_end = |one: &str, other: &str| one.ends_with(other);
                (is_start(before, other_before) || is_start(other_before, before))
                    && (is_end(behind, other_behind) || is_end(other_behind, behind))
            }
        }
    }
}

impl IssuerTemplate {
    /// Parses a template, or a name without a placeholder. The error says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let segments: Vec<Segment> = text
            .split('/')
            .map(Segment::parse)
            .collect::<Result<_, _>>()?;
        let mut names = Vec::new();
        for segment in &segments {
            if let Segment::Placeholder { name, .. } = segment {
                if names.contains(&name) {
                    return Err("two placeholders of one name");
                }
                names.push(name);
            }
        }
        Ok(Self {
            text: text.into(),
            segments,
        })
    }

    /// A name that matches itself alone, whatever characters it has.
    pub(crate) fn literal(name: &str) -> Self {
        let literal = |segment: &str| Segment::Literal(segment.into());
        Self {
            text: name.into(),
            segments: name.split('/').map(literal).collect(),
        }
    }

    /// The template as it was given.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The names of the placeholders.
    pub(crate) fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Placeholder { name, .. } => Some(&**name),
            Segment::Literal(_) => None,
        })
    }

    /// What each placeholder matches, in order; `None` where the issuer does not match.
    pub(crate) fn captures<'n>(&self, issuer: &'n str) -> Option<Vec<(&str, &'n str)>> {
        let mut captures = Vec::new();
        let mut parts = issuer.split('/');
        for segment in &self.segments {
            let own = segment.captured(parts.next()?)?;
            if let Segment::Placeholder { name, .. } = segment {
                captures.push((&**name, own));
            }
        }
        parts.next().is_none().then_some(captures)
    }

    /// Whether one issuer can match both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.segments.len() == other.segments.len()
            && (self.segments.iter().zip(&other.segments)).all(|(one, other)| one.overlaps(other))
    }
}

impl fmt::Display for IssuerTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> IssuerTemplate {
        IssuerTemplate::parse(text).unwrap()
    }

    #[test]
    fn a_placeholder_matches_one_segment_that_is_not_empty() {
        let azure = template("https://login.example.com/{tid}/v2.0");
        for (issuer, expected) in [
            ("https://login.example.com/a-1/v2.0", Some("a-1")),
            ("https://login.example.com/{tid}/v2.0", Some("{tid}")),
            ("https://login.example.com//v2.0", None),
            ("https://login.example.com/a/b/v2.0", None),
            ("https://login.example.com/a/v2.0/", None),
            ("https://login.example.com/a/v2", None),
            ("https://LOGIN.example.com/a/v2.0", None),
            ("https://login.example.com/a", None),
            ("", None),
        ] {
            let expected = expected.map(|tid| vec![("tid", tid)]);
            assert_eq!(azure.captures(issuer), expected, "{issuer}");
        }
        let realm = template("https://{org}.example.com/realms/r-{realm}-x");
        assert_eq!(
            realm.captures("https://a.b.example.com/realms/r-1-x"),
            Some(vec![("org", "a.b"), ("realm", "1")])
        );
        for issuer in [
            "https://.example.com/realms/r-1-x",
            "https://a.example.com/realms/r--x",
            "https://a.example.com/realms/r-x",
        ] {
            assert_eq!(realm.captures(issuer), None, "{issuer}");
        }
    }

    #[test]
    fn a_template_that_reads_two_ways_is_refused() {
        for text in [
            "{", "}", "a}b", "{a", "{}", "x/{}/y", "{a}{b}", "{a}-{b}", "{{a}}", "{a/b}", "{iss}",
            "{a}/{a}",
        ] {
            assert!(IssuerTemplate::parse(text).is_err(), "{text}");
        }
    }

    /// Every name of up to two segments over a few letters: the answer must be that of trying all.
    #[test]
    fn two_templates_overlap_where_one_name_matches_both() {
        let letters = [
            "", "a", "b", "aa", "ab", "ba", "bb", "aab", "aba", "abb", "bab", "abaab",
        ];
        let mut names: Vec<String> = letters.map(str::to_owned).to_vec();
        for first in letters {
            names.extend(letters.iter().map(|second| format!("{first}/{second}")));
        }
        let texts = [
            "a", "ab", "{x}", "a{x}", "{x}b", "a{x}b", "b{x}", "ab{x}", "{x}ab", "{x}/a", "a/{x}",
            "{x}/{y}", "a{x}/b", "b/a{x}", "a/b",
        ];
        for (one, other) in texts.iter().flat_map(|a| texts.iter().map(move |b| (a, b))) {
            let (left, right) = (template(one), template(other));
            let both =
                |name: &&String| left.captures(name).is_some() && right.captures(name).is_some();
            let found = names.iter().find(both);
            assert_eq!(
                left.overlaps(&right),
                found.is_some(),
                "{one} {other} {found:?}"
            );
        }
    }
}
