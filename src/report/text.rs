//! text
#[derive(Clone, Copy, Debug, Default)]
/// x
pub struct TextOptions { /// c
 pub color: bool }
