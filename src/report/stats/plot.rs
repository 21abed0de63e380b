//! Draws [`Worth`] as one SVG: [`render`].
//!
//! A row for each lineage and below it for each of its reviewers; side by side how much of what it said is real, what nobody else found,
//! and what a real issue cost. The figures are written beside the marks, so that colour says nothing alone.

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, VPos},
};

use super::{least, rows};
use crate::{
    report::{
        foreign,
        plot::{self, BLUE, Chart, Drawing, Drawn, GREEN, GREY, ORANGE, PlotError, label},
        words,
    },
    tally::worth::{Figures, Worth},
};

const WIDTH: u32 = 1000;
/// Of each row, in pixels.
const ROW: u32 = 26;
/// What a chart takes besides its rows: its title, its scale, and margins.
const AROUND: u32 = 100;
/// Of the column of names, in pixels.
const NAMES: i32 = 170;
/// Characters of a name that are shown.
const NAME_SHOWN: usize = 20;
/// Half of a bar's thickness, in rows.
const HALF_BAR: f64 = 0.28;

/// The figures as an SVG document.
pub fn render(worth: &Worth) -> Result<String, PlotError> {
    let rows = rows(worth, name, |reviewer| format!("\u{2003}{}", name(reviewer)));
    let height = AROUND + ROW * u32::try_from(rows.len().max(1)).unwrap_or(u32::MAX / ROW / 2);
    plot::document((WIDTH, height), |whole| draw(&rows, whole))
}

fn name(text: &str) -> String {
    words::shortened(&foreign::one_line(text), NAME_SHOWN)
}

fn draw<'a>(rows: &[(String, &Figures)], whole: &Drawing<'a>) -> Drawn<'a> {
    if rows.is_empty() {
        let style = label(GREY, HPos::Left, VPos::Center);
        return whole.draw(&Text::new("There are no runs yet.", (20, 40), style));
    }
    let (names, charts) = whole.split_horizontally(NAMES);
    let parts = charts.split_evenly((1, 3));
    let heights = precision(rows, &parts[0])?;
    alone(rows, &parts[1])?;
    price(rows, &parts[2])?;
    for ((name, _), height) in rows.iter().zip(heights) {
        let style = label(GREY, HPos::Left, VPos::Center);
        names.draw(&Text::new(name.as_str(), (14, height), style))?;
    }
    Ok(())
}

/// Gives the height of each row too, in pixels of the picture.
fn precision<'a>(rows: &[(String, &Figures)], area: &Drawing<'a>) -> Drawn<'a, Vec<i32>> {
    let mut chart =
        chart(area, "Real, of what was decided", rows.len(), 1.0, &|share| words::percent(*share))?;
    for (row, figures) in rows.iter().enumerate().map(|(at, (_, figures))| (height(rows.len(), at), figures))
    {
        let Some(share) = figures.precision().share() else { continue };
        let (low, high) = figures.precision().wilson();
        chart.draw_series([ErrorBar::new_horizontal(row, low, share, high, BLUE.filled(), 8)])?;
        chart.draw_series([Circle::new((share, row), 5, BLUE.filled())])?;
        let count = format!("{}/{}", figures.real, figures.precision().of);
        let (at, side) = if high > 0.85 { (low - 0.02, HPos::Right) } else { (high + 0.02, HPos::Left) };
        chart.draw_series([Text::new(count, (at, row), label(BLUE, side, VPos::Center))])?;
    }
    Ok((0..rows.len()).map(|at| chart.backend_coord(&(0.0, height(rows.len(), at))).1).collect())
}

/// What others found too is an outline.
fn alone<'a>(rows: &[(String, &Figures)], area: &Drawing<'a>) -> Drawn<'a> {
    let most = rows.iter().map(|(_, figures)| count(figures.real)).fold(1.0, f64::max);
    let mut chart =
        chart(area, "Real issues, filled: found by no other", rows.len(), most * 1.35, &|count| {
            if count.fract() == 0.0 { format!("{count:.0}") } else { String::new() }
        })?;
    for (row, figures) in rows.iter().enumerate().map(|(at, (_, figures))| (height(rows.len(), at), figures))
    {
        let (own, all) = (count(figures.alone), count(figures.real));
        let bar = |to: f64| [(0.0, row - HALF_BAR), (to, row + HALF_BAR)];
        chart.draw_series([
            Rectangle::new(bar(own), ORANGE.filled()),
            Rectangle::new(bar(all), ORANGE.stroke_width(1)),
        ])?;
        let words =
            if figures.real == 0 { String::new() } else { format!("{} of {}", figures.alone, figures.real) };
        let style = label(ORANGE, HPos::Left, VPos::Center);
        chart.draw_series([Text::new(words, (all + most * 0.03, row), style)])?;
    }
    Ok(())
}

fn price<'a>(rows: &[(String, &Figures)], area: &Drawing<'a>) -> Drawn<'a> {
    let known = rows.iter().filter_map(|(_, figures)| figures.cost_per_real());
    let most = known.fold(0.0, f64::max).max(0.000_1);
    // Where all are cheap, cents do not tell them apart.
    let decimals = if most < 0.1 { 4 } else { 2 };
    let dollars = move |usd: &f64| format!("${usd:.decimals$}");
    let mut chart = chart(area, "Cost per real issue", rows.len(), most * 1.6, &dollars)?;
    for (row, figures) in rows.iter().enumerate().map(|(at, (_, figures))| (height(rows.len(), at), figures))
    {
        let Some(usd) = figures.cost_per_real() else { continue };
        let bar = [(0.0, row - HALF_BAR), (usd, row + HALF_BAR)];
        chart.draw_series([Rectangle::new(bar, GREEN.filled())])?;
        let words = format!("{}{}", least(&figures.spent), dollars(&usd));
        let style = label(GREEN, HPos::Left, VPos::Center);
        chart.draw_series([Text::new(words, (usd + most * 0.03, row), style)])?;
    }
    Ok(())
}

/// A scale from nothing to `most` over `rows` rows.
fn chart<'a>(
    area: &Drawing<'a>,
    title: &str,
    rows: usize,
    most: f64,
    words: &dyn Fn(&f64) -> String,
) -> Drawn<'a, Chart<'a>> {
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 15).into_font().color(&GREY))
        .margin(12)
        .margin_left(26)
        .x_label_area_size(30)
        .build_cartesian_2d(0.0..most, 0.0..count(rows))?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GREY.mix(0.3))
        .axis_style(GREY)
        .label_style(("sans-serif", 13).into_font().color(&GREY))
        .x_labels(5)
        .x_label_formatter(&words)
        .draw()?;
    Ok(chart)
}

/// The middle of a row; the first stands on top.
fn height(rows: usize, at: usize) -> f64 {
    count(rows - at) - 0.5
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}
