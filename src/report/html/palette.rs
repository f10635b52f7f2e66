//! Colours of the report, by day and by night. Each is told apart from its ground at 3:1 (lines) or 4.5:1 (text), as WCAG 2.2 asks
//! (success criteria 1.4.11 and 1.4.3); a test computes it. No line is told apart by colour alone: each has its own dashes.

/// What the page is written on and with: light, dark.
pub const GROUND: [&str; 2] = ["#FFFFFF", "#111827"];
pub const TEXT: [&str; 2] = ["#111827", "#E5E7EB"];
pub const MUTED: [&str; 2] = ["#4B5563", "#A8B0BD"];
/// Lines of a grid and around cells: decoration.
pub const RULE: [&str; 2] = ["#D1D5DB", "#374151"];
/// Words of a verdict.
pub const GOOD: [&str; 2] = ["#166534", "#86EFAC"];
pub const BAD: [&str; 2] = ["#B91C1C", "#FCA5A5"];
pub const WARN: [&str; 2] = ["#92400E", "#FCD34D"];

/// A line of a chart: light, dark, and its dashes as SVG has them.
pub struct Ink {
    pub light: &'static str,
    pub dark: &'static str,
    pub dashes: &'static str,
}

/// In the order in which a chart takes them.
pub const INKS: [Ink; 6] = [
    Ink { light: "#1D4ED8", dark: "#93C5FD", dashes: "none" },
    Ink { light: "#B45309", dark: "#FBBF24", dashes: "6 3" },
    Ink { light: "#15803D", dark: "#4ADE80", dashes: "2 2" },
    Ink { light: "#BE123C", dark: "#FB7185", dashes: "9 3 2 3" },
    Ink { light: "#6D28D9", dark: "#C4B5FD", dashes: "12 4" },
    Ink { light: "#0F766E", dark: "#5EEAD4", dashes: "4 4" },
];

/// The style sheet: the colours, and what `style.css` makes of them.
pub fn style() -> String {
    let names = ["ground", "text", "muted", "rule", "good", "bad", "warn"];
    let colours = [GROUND, TEXT, MUTED, RULE, GOOD, BAD, WARN];
    let all = |night: usize| -> String {
        names.iter().zip(colours).map(|(name, colour)| format!("--{name}:{};", colour[night])).collect()
    };
    let (day, night) = (all(0), all(1));
    // Charts are drawn by day; a rule of a style sheet goes before an attribute of SVG.
    let drawn = [(TEXT, ""), (MUTED, ""), (RULE, ""), (GROUND, "")].map(|(colour, _)| (colour[0], colour[1]));
    let inks = INKS.iter().map(|ink| (ink.light, ink.dark));
    let by_night: String = drawn
        .into_iter()
        .chain(inks)
        .map(|(light, dark)| format!("svg [stroke=\"{light}\"]{{stroke:{dark}}}svg [fill=\"{light}\"]{{fill:{dark}}}"))
        .collect();
    let dashes: String = INKS
        .iter()
        .map(|ink| {
            format!(
                "svg polyline[stroke=\"{}\"],.key line[stroke=\"{}\"]{{stroke-dasharray:{}}}",
                ink.light, ink.light, ink.dashes
            )
        })
        .collect();
    let ours = include_str!("style.css");
    format!(":root{{{day}}}{dashes}{ours}@media screen and (prefers-color-scheme:dark){{:root{{{night}}}{by_night}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of an sRGB colour (WCAG 2.2).
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("two hex digits")) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn words_and_lines_stand_out_from_the_ground_by_day_and_by_night() {
        assert!((contrast("#FFFFFF", "#000000") - 21.0).abs() < 1e-9);
        for night in 0..2 {
            for text in [TEXT, MUTED, GOOD, BAD, WARN] {
                let found = contrast(text[night], GROUND[night]);
                assert!(found >= 4.5, "{} on {}: {found}", text[night], GROUND[night]);
            }
        }
        for ink in &INKS {
            for (line, ground) in [(ink.light, GROUND[0]), (ink.dark, GROUND[1])] {
                assert!(contrast(line, ground) >= 3.0, "{line} on {ground}");
            }
        }
    }

    #[test]
    fn no_two_lines_have_the_same_dashes() {
        let dashes: std::collections::BTreeSet<&str> = INKS.iter().map(|ink| ink.dashes).collect();
        assert_eq!(dashes.len(), INKS.len());
    }
}
