//! Sentences about a token, and which of them quote it.

use super::escape::{grouped, quoted};

/// How many names, keys or values of one kind are listed.
pub(super) const MANY: usize = 5;

/// A sentence about the token.
pub(super) struct Note {
    pub(super) text: String,
    /// Whether it quotes the token, so that it is as good as the token's signature.
    pub(super) is_quoting: bool,
}

/// Sentences, in order.
#[derive(Default)]
pub(super) struct Notes(pub(super) Vec<Note>);

impl Notes {
    /// A sentence of our own.
    pub(super) fn own(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.0.push(Note {
            text,
            is_quoting: false,
        });
    }

    /// A sentence that quotes the token.
    pub(super) fn quote(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.0.push(Note {
            text,
            is_quoting: true,
        });
    }
}

/// A few names in quotes, and how many more there are, with `and` in front of that.
pub(super) fn listed<'n>(
    names: impl IntoIterator<Item = &'n str>,
    between: &str,
    and: &str,
) -> String {
    let mut names = names.into_iter();
    let mut shown: Vec<_> = names.by_ref().take(MANY).map(quoted).collect();
    let more = names.count();
    if more > 0 {
        shown.push(format!("{and}{} more", grouped(more)));
    }
    shown.join(between)
}
