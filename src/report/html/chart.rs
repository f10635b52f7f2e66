//! A chart as inline SVG: axes, lines and points, with its words in HTML beside it.

use maud::{Markup, PreEscaped, html};
use plotters::prelude::*;

use super::palette::{GROUND, INKS, MUTED, RULE, TEXT};
use crate::results::figures::decimal::human;

const WIDTH: u32 = 440;
const HEIGHT: u32 = 250;

/// Lines or points over one axis.
pub struct Series {
    pub name: String,
    /// A missing value is a gap.
    pub points: Vec<(f64, Option<f64>)>,
    pub style: Style,
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

/// How values stand along an axis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// From 0.
    Linear,
    /// Powers of ten.
    Log,
    /// Percentiles: p0 at 0, p90 at 1, p99 at 2, p99.9 at 3.
    Percentile,
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
                let known: Vec<f64> = series.points.iter().filter_map(|(_, y)| *y).collect();
                let least = known.iter().copied().reduce(f64::min)?;
                let most = known.iter().copied().reduce(f64::max)?;
                Some(format!("{} from {} to {}", series.name, human(least), human(most)))
            })
            .collect();
        format!("{}: {} {}, {}.", self.title, self.what, self.y.0, ranges.join("; "))
    }

    /// What stands inside the svg element; `None`: there is no value.
    fn svg(&self) -> Option<String> {
        let known = || self.series.iter().flat_map(|s| s.points.iter().filter_map(|(x, y)| Some((*x, (*y)?))));
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
        for (at, series) in self.series.iter().enumerate() {
            let colour = rgb(INKS[at % INKS.len()].light);
            let place = |(px, py): &(f64, Option<f64>)| Some((placed(*px, self.x.1), placed((*py)?, self.y.1)));
            if series.style != Style::Rings {
                for part in series.points.split(|(_, y)| y.is_none()).filter(|part| !part.is_empty()) {
                    let line: Vec<(f64, f64)> = part.iter().filter_map(place).collect();
                    chart.draw_series(LineSeries::new(line, colour.stroke_width(2)))?;
                }
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

/// From and to of an axis, in its own places; `None` without any value.
fn range(values: impl Iterator<Item = f64>, scale: Scale) -> Option<(f64, f64)> {
    let all: Vec<f64> = values.map(|value| placed(value, scale)).filter(|value| value.is_finite()).collect();
    let least = all.iter().copied().reduce(f64::min)?;
    let most = all.iter().copied().reduce(f64::max)?;
    Some(match scale {
        Scale::Linear => (least.min(0.0), if most <= 0.0 { 1.0 } else { most * 1.08 }),
        Scale::Log => (least.floor(), most.ceil().max(least.floor() + 1.0)),
        Scale::Percentile => (0.0, most.ceil().max(1.0)),
    })
}

fn placed(value: f64, scale: Scale) -> f64 {
    match scale {
        Scale::Linear => value,
        Scale::Log => value.max(1e-3).log10(),
        Scale::Percentile => -(1.0 - value.clamp(0.0, 0.999_999_9)).log10(),
    }
}

fn tick(value: f64, scale: Scale) -> String {
    let whole = (value - value.round()).abs() < 1e-6;
    match scale {
        Scale::Linear => human(value),
        Scale::Log if whole => human(10f64.powf(value.round())),
        Scale::Percentile if whole => match value.round() as i64 {
            0 => "p0".into(),
            1 => "p90".into(),
            2 => "p99".into(),
            nines => format!("p99.{}", "9".repeat(usize::try_from(nines - 2).unwrap_or(0))),
        },
        // Between the powers no line is named.
        Scale::Log | Scale::Percentile => String::new(),
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
        let series = vec![Series { name: "sent".into(), points, style: Style::Line }];
        Chart {
            title: "Rate".into(),
            what: "A second.".into(),
            explained: true,
            x: ("s", Scale::Linear),
            y: ("1/s", Scale::Linear),
            series,
        }
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

    #[test]
    fn percentiles_stand_by_their_nines() {
        let named = [0.0, 1.0, 2.0, 3.0, 1.5].map(|at| tick(at, Scale::Percentile));
        assert_eq!(named, ["p0", "p90", "p99", "p99.9", ""]);
        assert!((placed(0.999, Scale::Percentile) - 3.0).abs() < 1e-9);
        assert_eq!(tick(2.0, Scale::Log), "100");
    }
}
