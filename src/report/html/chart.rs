//! A chart as inline SVG: axes, lines and points, with its words in HTML beside it.

use maud::{Markup, PreEscaped, html};
use plotters::prelude::*;

pub use super::axis::Scale;
use super::axis::{placed, range, tick};
use super::palette::{GROUND, INKS, MUTED, RULE, TEXT};
use crate::results::figures::decimal::human;

const WIDTH: u32 = 440;
const HEIGHT: u32 = 250;
/// More marks than that are drawn without their numbers, which would stand upon each other.
const MOST_NUMBERS: usize = 12;

/// Lines or points over one axis.
pub struct Series {
    pub name: String,
    /// A missing value is a gap.
    pub points: Vec<(f64, Option<f64>)>,
    pub style: Style,
    /// Ranges around points: place, least and most.
    pub ranges: Vec<(f64, f64, f64)>,
}

impl Series {
    /// A series without ranges.
    pub fn new(name: impl Into<String>, points: Vec<(f64, Option<f64>)>, style: Style) -> Self {
        Self { name: name.into(), points, style, ranges: Vec::new() }
    }

    /// All values, those at the ends of ranges too.
    fn known(&self) -> impl Iterator<Item = (f64, f64)> {
        let points = self.points.iter().filter_map(|(x, y)| Some((*x, (*y)?)));
        points.chain(self.ranges.iter().flat_map(|(x, least, most)| [(*x, *least), (*x, *most)]))
    }
}

/// Something that happened, drawn behind the lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Its number in the list beside the charts.
    pub number: usize,
    /// Along the axis.
    pub from: f64,
    /// `None`: an instant.
    pub to: Option<f64>,
}

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Line,
    /// With a dot at each value.
    Dots,
    /// Rings, not joined.
    Rings,
}

/// A chart with its words.
pub struct Chart<'a> {
    pub title: String,
    /// What it shows, a sentence: stands below the title, and is read to those who can't see it.
    pub what: String,
    /// The sentence is shown; not where the same chart stands above with it.
    pub explained: bool,
    pub x: (&'a str, Scale),
    pub y: (&'a str, Scale),
    pub series: Vec<Series>,
    pub marks: Vec<Mark>,
}

impl<'a> Chart<'a> {
    /// A chart that is explained, without marks.
    pub fn new(
        title: impl Into<String>,
        what: impl Into<String>,
        x: (&'a str, Scale),
        y: (&'a str, Scale),
        series: Vec<Series>,
    ) -> Self {
        Self { title: title.into(), what: what.into(), explained: true, x, y, series, marks: Vec::new() }
    }
}

impl Chart<'_> {
    /// The figure, or nothing when there is no value.
    pub fn markup(&self) -> Markup {
        let Some(svg) = self.svg() else { return html! {} };
        html! {
            figure {
                figcaption {
                    (self.title)
                    @if self.explained { span.what { (self.what) } }
                    @else { br; }
                    @for (at, series) in self.series.iter().enumerate().filter(|_| self.series.len() > 1) {
                        span.key { (key(at, series.style)) (series.name) }
                    }
                }
                svg.chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(self.alt()) { (PreEscaped(svg)) }
            }
        }
    }

    /// The words for who can't see it: what it shows, and the range of each series.
    fn alt(&self) -> String {
        let ranges: Vec<String> = self
            .series
            .iter()
            .filter_map(|series| {
                let known: Vec<f64> = series.known().map(|(_, y)| y).collect();
                let least = known.iter().copied().reduce(f64::min)?;
                let most = known.iter().copied().reduce(f64::max)?;
                Some(format!("{} from {} to {}", series.name, human(least), human(most)))
            })
            .collect();
        format!("{}: {} {}, {}.", self.title, self.what, self.y.0, ranges.join("; "))
    }

    /// What stands inside the svg element; `None`: there is no value.
    fn svg(&self) -> Option<String> {
        let known = || self.series.iter().flat_map(Series::known);
        let (x, y) = (range(known().map(|(x, _)| x), self.x.1)?, range(known().map(|(_, y)| y), self.y.1)?);
        let mut text = String::new();
        {
            let root = SVGBackend::with_string(&mut text, (WIDTH, HEIGHT)).into_drawing_area();
            // Drawing into a string does not fail.
            let _ = self.draw(&root, x, y);
            let _ = root.present();
        }
        let inside = text.split_once('>').map(|(_, rest)| rest)?;
        Some(inside.trim_end().trim_end_matches("</svg>").replace(['\n', '\r'], ""))
    }

    fn draw<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, plotters::coord::Shift>,
        x: (f64, f64),
        y: (f64, f64),
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let font = |colour: &str| ("sans-serif", 14).into_font().color(&rgb(colour));
        let mut chart = ChartBuilder::on(root)
            .margin(6)
            .margin_right(26)
            .x_label_area_size(40)
            .y_label_area_size(60)
            .build_cartesian_2d(x.0..x.1, y.0..y.1)?;
        let label = |scale: Scale| move |value: &f64| tick(*value, scale);
        let labels = |(from, to): (f64, f64), scale| if scale == Scale::Linear { 6 } else { (to - from) as usize + 1 };
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(rgb(RULE[0]))
            .axis_style(rgb(MUTED[0]))
            .x_labels(labels(x, self.x.1))
            .y_labels(labels(y, self.y.1))
            .x_label_formatter(&label(self.x.1))
            .y_label_formatter(&label(self.y.1))
            .label_style(font(MUTED[0]))
            .axis_desc_style(font(TEXT[0]))
            .x_desc(self.x.0)
            .y_desc(self.y.0)
            .draw()?;
        for mark in &self.marks {
            let (from, to) = (mark.from.max(x.0), mark.to.unwrap_or(mark.from).min(x.1));
            if from > to || mark.from > x.1 {
                continue;
            }
            if mark.to.is_some() {
                chart.draw_series([Rectangle::new([(from, y.0), (to, y.1)], rgb(RULE[0]).mix(0.6).filled())])?;
            } else {
                chart.draw_series([PathElement::new(vec![(from, y.0), (from, y.1)], rgb(MUTED[0]))])?;
            }
            if self.marks.len() <= MOST_NUMBERS {
                chart.draw_series([Text::new(mark.number.to_string(), (from, y.1), font(TEXT[0]))])?;
            }
        }
        for (at, series) in self.series.iter().enumerate() {
            let colour = rgb(INKS[at % INKS.len()].light);
            let place = |(px, py): &(f64, Option<f64>)| Some((placed(*px, self.x.1), placed((*py)?, self.y.1)));
            if series.style != Style::Rings {
                for part in series.points.split(|(_, y)| y.is_none()).filter(|part| !part.is_empty()) {
                    let line: Vec<(f64, f64)> = part.iter().filter_map(place).collect();
                    chart.draw_series(LineSeries::new(line, colour.stroke_width(2)))?;
                }
            }
            for (px, least, most) in &series.ranges {
                let ends = [*least, *most].map(|end| (placed(*px, self.x.1), placed(end, self.y.1)));
                chart.draw_series([PathElement::new(ends, colour.stroke_width(1))])?;
                // Eight pixels wide, whatever the scale.
                let cap = |end| EmptyElement::at(end) + PathElement::new([(-4, 0), (4, 0)], colour.stroke_width(1));
                chart.draw_series(ends.map(cap))?;
            }
            if series.style != Style::Line {
                let filled = if series.style == Style::Dots { colour.filled() } else { colour.stroke_width(2) };
                let dots = series.points.iter().filter_map(place);
                chart.draw_series(dots.map(|point| Circle::new(point, 4, filled)))?;
            }
        }
        Ok(())
    }
}

/// A sample of a series' line.
fn key(at: usize, style: Style) -> Markup {
    let colour = INKS[at % INKS.len()].light;
    let fill = if style == Style::Dots { colour } else { GROUND[0] };
    html! {
        svg viewBox="0 0 28 10" aria-hidden="true" {
            @if style != Style::Rings { line x1="0" y1="5" x2="28" y2="5" stroke=(colour) stroke-width="2" {} }
            @if style != Style::Line { circle cx="14" cy="5" r="4" fill=(fill) stroke=(colour) stroke-width="2" {} }
        }
    }
}

fn rgb(colour: &str) -> RGBColor {
    let part = |at: usize| colour.get(at..at + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).unwrap_or(0);
    RGBColor(part(1), part(3), part(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, Option<f64>)>) -> Chart<'static> {
        let series = vec![Series::new("sent", points, Style::Line)];
        Chart::new("Rate", "A second.", ("s", Scale::Linear), ("1/s", Scale::Linear), series)
    }

    #[test]
    fn what_happened_is_shaded_for_as_long_as_it_lasted_or_a_line_and_left_out_beyond_the_axis() {
        let mut with = chart(vec![(0.0, Some(1.0)), (60.0, Some(1.0))]);
        let plain = with.svg().expect("a chart");
        let mark = |number, from, to| Mark { number, from, to };
        with.marks = vec![mark(1, 20.0, Some(40.0)), mark(2, 50.0, None), mark(3, 90.0, None), mark(4, -9.0, None)];
        let drawn = with.svg().expect("a chart");
        let more = |what: &str| drawn.matches(what).count() - plain.matches(what).count();
        assert_eq!((more("<rect"), more("<polyline") + more("<line"), more("<text")), (1, 1, 2), "{drawn}");
    }

    #[test]
    fn a_range_is_drawn_and_the_axis_reaches_to_its_end() {
        let mut with = chart(vec![(0.0, Some(10.0)), (1.0, Some(20.0))]);
        with.series[0].ranges = vec![(1.0, 15.0, 5000.0)];
        assert!(with.alt().contains("sent from 10 to 5,000"), "{}", with.alt());
        assert!(with.svg().expect("a chart").contains("5,000"));
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let whole = chart((0..9).map(|x| (f64::from(x), Some(1.0))).collect()).markup().into_string();
        let torn = chart((0..9).map(|x| (f64::from(x), (x != 4).then_some(1.0))).collect()).markup().into_string();
        let lines = |text: &str| text.matches("<polyline").count();
        assert_eq!(lines(&torn), lines(&whole) + 1, "{torn}");
    }

    #[test]
    fn who_can_not_see_it_is_told_what_it_shows_and_from_where_to_where() {
        let text = chart(vec![(0.0, Some(3.0)), (1.0, Some(1_500.0))]).markup().into_string();
        assert!(text.contains(r#"aria-label="Rate: A second. 1/s, sent from 3 to 1,500.""#), "{text}");
    }

    #[test]
    fn without_a_value_there_is_no_chart() {
        assert_eq!(chart(vec![(0.0, None)]).markup().into_string(), "");
    }
}
