//! Draws what each bound links as an SVG that reads on a light and on a dark page: [`draw`].

use std::fmt::Write;

/// Size of the field between the axes, in pixels.
const FIELD: (f64, f64) = (520.0, 260.0);
/// The field's left upper corner.
const CORNER: (f64, f64) = (48.0, 16.0);
/// What the lines are: title, stroke and dashes. Dashes tell them apart without colour.
const LINES: [(&str, &str, &str); 4] = [
    ("same issue", "#2b8a3e", "none"),
    ("different issues", "#e03131", "7 3"),
    ("different remarks on the same lines", "#e8590c", "2 3"),
    ("recorded findings in an agreement", "#4c6ef5", "9 3 2 3"),
];

/// `curve` is ordered by bound, shares in percent; `chosen` is the shipped bound.
pub(crate) fn draw(curve: &[(f64, [f64; 4])], chosen: f64) -> String {
    let (first, last) = (curve[0].0, curve[curve.len() - 1].0);
    let x = |bound: f64| CORNER.0 + (bound - first) / (last - first) * FIELD.0;
    let y = |percent: f64| CORNER.1 + (1.0 - percent / 100.0) * FIELD.1;
    let mut svg = String::from(HEAD);
    for percent in [0.0, 25.0, 50.0, 75.0, 100.0] {
        let (left, right, at) = (x(first), x(last), y(percent));
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{left} {at:.1}H{right}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{percent} %</text>",
            left - 6.0,
            at + 4.0
        );
    }
    for (bound, _) in curve {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{bound:.2}</text>",
            x(*bound),
            y(0.0) + 18.0
        );
    }
    let _ = writeln!(svg, "<path class=\"chosen\" d=\"M{:.1} {}V{}\"/>", x(chosen), y(100.0), y(0.0));
    for (line, (title, stroke, dashes)) in LINES.iter().enumerate() {
        let points: Vec<_> =
            curve.iter().map(|(bound, shares)| format!("{:.1},{:.1}", x(*bound), y(shares[line]))).collect();
        let look =
            format!("fill=\"none\" stroke=\"{stroke}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"");
        let _ = writeln!(svg, "<polyline {look} points=\"{}\"/>", points.join(" "));
        let (left, top) = (
            x(first) + f64::from(u8::try_from(line % 2).unwrap_or_default()) * 265.0,
            y(0.0) + 46.0 + f64::from(u8::try_from(line / 2).unwrap_or_default()) * 20.0,
        );
        let _ = writeln!(
            svg,
            "<path {look} d=\"M{left} {:.1}h28\"/><text x=\"{:.1}\" y=\"{top:.1}\">{title}</text>",
            top - 4.0,
            left + 36.0
        );
    }
    svg + "</svg>\n"
}

const HEAD: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 360" role="img" aria-label="Share of pairs that each bound links">
<style>
text { font: 12px sans-serif; fill: #7d7d7d }
.grid { stroke: #8886 } .chosen { stroke: #888; stroke-dasharray: 4 4 }
</style>
"#;
