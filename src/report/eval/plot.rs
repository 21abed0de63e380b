//! Draws [`Scores`] as one SVG with two charts: [`render`].
//!
//! Left what agreement says about truth, right what further lineages add. The ground is left clear and every colour stands out from
//! white and from black, so the picture fits either. Colour is never alone: shapes differ, and counts are written down.

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, VPos},
};

use crate::{
    eval::{Level, Scores},
    report::{
        foreign,
        plot::{self, BLUE, Chart, Drawing, Drawn, GREEN, GREY, ORANGE, PlotError, label},
        words,
    },
    tally::Agreement,
};

const SIZE: (u32, u32) = (1000, 470);
/// Height of the strip under the charts.
const LEGEND: u32 = 30;
/// How far points of different kinds stand apart on the axis of lineages.
const BESIDE: f64 = 0.12;
/// Characters of a lineage's name that are shown.
const NAME_SHOWN: usize = 14;

/// The scores as an SVG document.
pub fn render(scores: &Scores) -> Result<String, PlotError> {
    plot::document(SIZE, |whole| draw(scores, whole))
}

fn draw<'a>(scores: &Scores, whole: &Drawing<'a>) -> Drawn<'a> {
    let (charts, strip) = whole.split_vertically(SIZE.1 - LEGEND);
    let (left, right) = charts.split_horizontally(SIZE.0 / 2);
    agreement(scores, &left)?;
    recall(scores, &right)?;
    legend(&strip)
}

/// Kinds differ in shape as in colour.
fn legend<'a>(strip: &Drawing<'a>) -> Drawn<'a> {
    let y = 8;
    strip.draw(&Circle::new((70, y), 5, GREY.filled()))?;
    strip.draw(&TriangleMarker::new((170, y), 7, ORANGE.filled()))?;
    strip.draw(&Circle::new((290, y), 5, BLUE.filled()))?;
    strip.draw(&PathElement::new([(560, y), (584, y)], BLUE.stroke_width(2)))?;
    strip.draw(&PathElement::new([(780, y), (788, y)], GREEN.stroke_width(2)))?;
    strip.draw(&PathElement::new([(793, y), (801, y)], GREEN.stroke_width(2)))?;
    let words = [
        (80, "one alone"),
        (182, "on the place"),
        (300, "on the claim"),
        (592, "mean of all panels"),
        (808, "best next one"),
    ];
    let style = label(GREY, HPos::Left, VPos::Center);
    words.iter().try_for_each(|(x, word)| strip.draw(&Text::new(*word, (*x, y), style.clone())))
}

fn agreement<'a>(scores: &Scores, area: &Drawing<'a>) -> Drawn<'a> {
    let most = scores.agreement.iter().map(|level| level.lineages).max().unwrap_or(1);
    let mut chart = chart(area, "Findings that are true, by lineages that agree", most)?;
    for (kind, color, shift) in [
        (Agreement::Single, GREY, 0.0),
        (Agreement::Place, ORANGE, -BESIDE),
        (Agreement::Claim, BLUE, BESIDE),
    ] {
        let levels: Vec<&Level> = scores.agreement.iter().filter(|one| one.agreement == kind).collect();
        bars(&mut chart, &levels, color, shift)?;
        let points =
            levels.iter().filter_map(|level| Some((at(level.lineages) + shift, level.findings.share()?)));
        match kind {
            Agreement::Place => {
                chart.draw_series(points.map(|here| TriangleMarker::new(here, 7, color.filled())))?
            }
            Agreement::Single | Agreement::Claim => {
                chart.draw_series(points.map(|here| Circle::new(here, 5, color.filled())))?
            }
        };
    }
    Ok(())
}

/// Intervals and counts.
fn bars<'a>(chart: &mut Chart<'a>, levels: &[&Level], color: RGBColor, shift: f64) -> Drawn<'a> {
    for level in levels {
        let (x, (low, high)) = (at(level.lineages) + shift, level.findings.wilson());
        let Some(share) = level.findings.share() else { continue };
        chart.draw_series([ErrorBar::new_vertical(x, low, share, high, color.filled(), 8)])?;
        let count = format!("{}/{}", level.findings.hits, level.findings.of);
        chart.draw_series([Text::new(count, (x, high + 0.02), label(color, HPos::Center, VPos::Bottom))])?;
    }
    Ok(())
}

fn recall<'a>(scores: &Scores, area: &Drawing<'a>) -> Drawn<'a> {
    let steps = &scores.gains.by_size;
    let mut chart = chart(area, "True issues found, by lineages on the panel", steps.len().max(1))?;
    let bars = steps.iter().filter_map(|step| {
        let (low, high) = step.recall.interval?;
        let x = at(step.lineages);
        Some(ErrorBar::new_vertical(x, low, step.recall.value, high, BLUE.filled(), 8))
    });
    chart.draw_series(bars)?;
    let mean = steps.iter().map(|step| (at(step.lineages), step.recall.value));
    chart.draw_series(LineSeries::new(mean, BLUE.stroke_width(2)).point_size(4))?;
    let greedy: Vec<(f64, f64, String)> = scores.gains.greedy.iter().enumerate().filter_map(named).collect();
    let best = greedy.iter().map(|(x, y, _)| (*x, *y));
    chart.draw_series(DashedLineSeries::new(best, 6, 4, GREEN.stroke_width(2)))?;
    let style = label(GREEN, HPos::Right, VPos::Bottom);
    chart
        .draw_series(greedy.into_iter().map(|(x, y, name)| Text::new(name, (x, y + 0.02), style.clone())))?;
    Ok(())
}

fn named((before, added): (usize, &crate::eval::Added)) -> Option<(f64, f64, String)> {
    let name = words::shortened(&foreign::one_line(added.lineage.as_str()), NAME_SHOWN);
    let name = if before == 0 { name } else { format!("+ {name}") };
    Some((at(before + 1), added.recall.share()?, name))
}

/// Axes: whole numbers of lineages, and shares.
fn chart<'a>(area: &Drawing<'a>, title: &str, most: usize) -> Drawn<'a, Chart<'a>> {
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18).into_font().color(&GREY))
        .margin(14)
        .x_label_area_size(40)
        .y_label_area_size(52)
        .build_cartesian_2d(0.4..at(most) + 0.6, 0.0..1.1)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GREY.mix(0.3))
        .axis_style(GREY)
        .label_style(("sans-serif", 14).into_font().color(&GREY))
        .x_desc("lineages")
        .x_label_formatter(&|x| if x.fract() == 0.0 { format!("{x:.0}") } else { String::new() })
        .y_label_formatter(&|y| format!("{:.0} %", y * 100.0))
        .y_labels(6)
        .draw()?;
    Ok(chart)
}

fn at(lineages: usize) -> f64 {
    u32::try_from(lineages).map_or(f64::MAX, f64::from)
}
