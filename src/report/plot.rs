//! What pictures of ours share: `document`, colours that stand out from white and from black, and labels.
//!
//! What is drawn, and where, is each picture's own.

use plotters::{
    coord::{Shift, types::RangedCoordf64},
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

pub(super) const GREY: RGBColor = RGBColor(0x7d, 0x7d, 0x7d);
pub(super) const BLUE: RGBColor = RGBColor(0x2f, 0x81, 0xf7);
pub(super) const ORANGE: RGBColor = RGBColor(0xd0, 0x78, 0x1e);
pub(super) const GREEN: RGBColor = RGBColor(0x2d, 0x9a, 0x4b);

/// A picture that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw the picture: {0}")]
pub struct PlotError(String);

pub(super) type Drawing<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
pub(super) type Drawn<'a, T = ()> =
    Result<T, DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

/// An SVG document of `size` with what `draw` draws on clear ground.
pub(super) fn document(
    size: (u32, u32),
    draw: impl for<'a> FnOnce(&Drawing<'a>) -> Drawn<'a>,
) -> Result<String, PlotError> {
    let mut svg = String::new();
    let whole = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    let drawn = draw(&whole).and_then(|()| whole.present());
    drawn.map_err(|error| PlotError(error.to_string()))?;
    drop(whole);
    Ok(svg)
}

/// How small text looks that stands at a point.
pub(super) fn label(color: RGBColor, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    ("sans-serif", 13).into_font().color(&color).pos(Pos::new(horizontal, vertical))
}
