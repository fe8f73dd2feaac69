//! Why a key cannot be used.

/// What is wrong with a key, in whatever form it came.
#[derive(Debug)]
pub(super) struct Fault {
    /// The member of the JWK at fault; none where it is the key as a whole.
    pub(super) member: Option<&'static str>,
    /// What is wrong; never quotes any part of a key.
    pub(super) why: String,
    /// Whether the key is sound, but of a type that jotmill does not verify with. A token that
    /// names such a key is a mismatch, while a broken key makes it `key-unusable`.
    pub(super) is_other_type: bool,
}

impl Fault {
    /// A key that is broken or malformed as a whole.
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self {
            member: None,
            why: why.into(),
            is_other_type: false,
        }
    }

    /// A key with a member that is broken, malformed or absent.
    pub(super) fn at(member: &'static str, why: impl Into<String>) -> Self {
        Self::new(why).with_member(Some(member))
    }

    /// A sound key of a type that jotmill does not verify with.
    pub(super) fn other_type(why: impl Into<String>) -> Self {
        Self {
            is_other_type: true,
            ..Self::new(why)
        }
    }

    pub(super) fn with_member(self, member: Option<&'static str>) -> Self {
        Self { member, ..self }
    }

    /// Adds the line of the file in which the key begins.
    pub(super) fn in_line(self, line: usize) -> Self {
        Self {
            why: format!("line {line}: {}", self.why),
            ..self
        }
    }

    /// What is wrong, after the member at fault.
    pub(super) fn problem(&self) -> String {
        problem(self.member, &self.why)
    }
}

/// What is wrong with a key, after the member at fault.
pub(super) fn problem(member: Option<&str>, why: &str) -> String {
    member.map_or_else(|| why.to_owned(), |member| format!("{member}: {why}"))
}
