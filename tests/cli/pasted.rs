//! What `inspect` finds in a text that is pasted.
