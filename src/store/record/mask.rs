//! Where credentials stood, in `run.json`: [`MaskRecord`]. What they were is written nowhere.

use serde::{Deserialize, Serialize};

use crate::{
    change::RepoPath,
    mask::{Mask, Place, Side},
};

/// A mask, in a line of a bundle or in a commit's message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MaskRecord {
    kind: String,
    number: u32,
    #[serde(flatten)]
    place: PlaceRecord,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum PlaceRecord {
    Line { bundle: String, path: String, side: SideRecord, line: u32, from: usize, to: usize },
    Commit { commit: String },
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SideRecord {
    New,
    Old,
    Section,
    Header,
}

impl From<&Mask> for MaskRecord {
    fn from(mask: &Mask) -> Self {
        let place = match &mask.place {
            Place::Commit { id } => PlaceRecord::Commit { commit: id.clone() },
            Place::Line { bundle, path, side, line, at } => PlaceRecord::Line {
                bundle: bundle.clone(),
                path: path.to_string(),
                side: (*side).into(),
                line: *line,
                from: at.start,
                to: at.end,
            },
        };
        Self { kind: mask.kind.clone(), number: mask.number, place }
    }
}

impl MaskRecord {
    /// The core's form.
    pub(super) fn mask(&self) -> Mask {
        let place = match &self.place {
            PlaceRecord::Commit { commit } => Place::Commit { id: commit.clone() },
            PlaceRecord::Line { bundle, path, side, line, from, to } => Place::Line {
                bundle: bundle.clone(),
                path: RepoPath::from_display(path),
                side: (*side).into(),
                line: *line,
                at: *from..*to,
            },
        };
        Mask { kind: self.kind.clone(), number: self.number, place }
    }
}

impl From<Side> for SideRecord {
    fn from(side: Side) -> Self {
        match side {
            Side::New => Self::New,
            Side::Old => Self::Old,
            Side::Section => Self::Section,
            Side::Header => Self::Header,
        }
    }
}

impl From<SideRecord> for Side {
    fn from(side: SideRecord) -> Self {
        match side {
            SideRecord::New => Self::New,
            SideRecord::Old => Self::Old,
            SideRecord::Section => Self::Section,
            SideRecord::Header => Self::Header,
        }
    }
}
