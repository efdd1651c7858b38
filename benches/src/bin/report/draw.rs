//! Plots: panels of lines on axes, drawn as SVG. Knows nothing of what is measured.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{
    Circle, Cross, DashedPathElement, PathElement, Rectangle, Text, TriangleMarker,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle, WHITE};
use wasmtime::{Result, format_err};

use crate::axis::Axis;

/// The colours of Okabe and Ito, which the colour-blind can tell apart, without their yellow.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);

// All in pixels.
const TEXT: i32 = 14;
const TITLE: i32 = 16;
const HEAD: i32 = 40;
const LEGEND_LINE: i32 = 24;
const SAMPLE: i32 = 34;
const LEFT: i32 = 72;
const RIGHT: i32 = 18;
const ABOVE: i32 = 30;
const BELOW: i32 = 52;

/// Wide letters, so that estimates err towards room.
const LETTER: i32 = 8;

/// A line's name and look, the same in all panels.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    colour: usize,
    dashed: bool,
}

impl Key {
    /// A line of prewarm.
    pub(crate) fn ours(colour: usize, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            colour,
            dashed: false,
        }
    }

    /// A line to compare with.
    pub(crate) fn bare(colour: usize, name: impl Into<String>) -> Self {
        Self {
            dashed: true,
            ..Self::ours(colour, name)
        }
    }

    fn style(&self) -> ShapeStyle {
        COLOURS[self.colour % COLOURS.len()].stroke_width(2)
    }
}

/// A line: which key it has, and its points.
pub(crate) type Line = (usize, Vec<(f64, f64)>);

/// Axes with lines.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) lines: Vec<Line>,
    /// Whether each point is marked.
    pub(crate) marks: bool,
}

/// A whole picture.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    pub(crate) title: String,
    pub(crate) columns: usize,
    /// Width and height of each panel.
    pub(crate) panel: (i32, i32),
    pub(crate) keys: Vec<Key>,
    pub(crate) panels: Vec<Panel>,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

impl Plot {
    /// The picture as SVG.
    pub(crate) fn svg(&self) -> Result<String> {
        let columns = self.columns.clamp(1, self.panels.len().max(1));
        let rows = self.panels.len().div_ceil(columns);
        let (columns, rows) = (i32::try_from(columns)?, i32::try_from(rows)?);
        let width = columns * self.panel.0;
        let legend = self.legend(width);
        let bottom = HEAD + rows * self.panel.1;
        let last = legend.last().map_or(0, |place| place.1 + LEGEND_LINE);
        let size = (u32::try_from(width)?, u32::try_from(bottom + last + 8)?);
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            area.fill(&WHITE).map_err(failed)?;
            write(&area, &self.title, (width / 2, 14), TITLE, HPos::Center)?;
            for (index, panel) in (0..).zip(&self.panels) {
                let corner = (
                    index % columns * self.panel.0,
                    HEAD + index / columns * self.panel.1,
                );
                self.draw_panel(&area, panel, corner)?;
            }
            for (key, (x, y)) in self.keys.iter().zip(legend) {
                let y = bottom + y + LEGEND_LINE / 2;
                line(&area, key, vec![(x, y), (x + SAMPLE, y)])?;
                if self.panels.iter().any(|panel| panel.marks) {
                    mark(&area, key, (x + SAMPLE / 2, y))?;
                }
                let at = (x + SAMPLE + 8, y - TEXT / 2);
                write(&area, &key.name, at, TEXT, HPos::Left)?;
            }
            area.present().map_err(failed)?;
        }
        Ok(svg)
    }

    /// Where each key of the legend stands, in lines that are not wider than the picture.
    fn legend(&self, width: i32) -> Vec<(i32, i32)> {
        let (mut x, mut y) = (LEFT, 0);
        let mut places = Vec::new();
        for key in &self.keys {
            let letters = i32::try_from(key.name.chars().count()).unwrap_or(0);
            let wide = SAMPLE + 8 + letters * LETTER + 16;
            if x + wide > width && x > LEFT {
                (x, y) = (LEFT, y + LEGEND_LINE);
            }
            places.push((x, y));
            x += wide;
        }
        places
    }

    fn draw_panel(&self, area: &Area<'_>, panel: &Panel, corner: (i32, i32)) -> Result<()> {
        let (left, right) = (corner.0 + LEFT, corner.0 + self.panel.0 - RIGHT);
        let (top, bottom) = (corner.1 + ABOVE, corner.1 + self.panel.1 - BELOW);
        let x_of = |value: f64| between(left, right, panel.x.place(value));
        let y_of = |value: f64| between(bottom, top, panel.y.place(value));
        for (value, label) in panel.x.ticks() {
            let x = x_of(*value);
            rule(area, GRID, (x, top), (x, bottom))?;
            write(area, label, (x, bottom + 6), TEXT - 1, HPos::Center)?;
        }
        for (value, label) in panel.y.ticks() {
            let y = y_of(*value);
            rule(area, GRID, (left, y), (right, y))?;
            write(area, label, (left - 6, y - TEXT / 2), TEXT - 1, HPos::Right)?;
        }
        rule(area, INK, (left, bottom), (right, bottom))?;
        rule(area, INK, (left, top), (left, bottom))?;
        let middle = i32::midpoint(left, right);
        write(
            area,
            &panel.title,
            (middle, top - 22),
            TITLE - 1,
            HPos::Center,
        )?;
        let name = panel.x.name();
        write(area, name, (middle, bottom + 26), TEXT, HPos::Center)?;
        let upright = TextStyle::from(("sans-serif", TEXT).into_font())
            .color(&INK)
            .transform(FontTransform::Rotate270)
            .pos(Pos::new(HPos::Center, VPos::Top));
        let at = (corner.0 + 4, i32::midpoint(top, bottom));
        let name = Text::new(panel.y.name().to_owned(), at, upright);
        area.draw(&name).map_err(failed)?;
        for (key, points) in &panel.lines {
            let Some(key) = self.keys.get(*key) else {
                continue;
            };
            let points = points
                .iter()
                .filter(|(x, y)| x.is_finite() && y.is_finite());
            let points: Vec<_> = points.map(|(x, y)| (x_of(*x), y_of(*y))).collect();
            if panel.marks {
                for point in &points {
                    mark(area, key, *point)?;
                }
            }
            line(area, key, points)?;
        }
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "pixels of a picture")]
fn between(from: i32, to: i32, share: f64) -> i32 {
    from + (f64::from(to - from) * share).round() as i32
}

fn line(area: &Area<'_>, key: &Key, points: Vec<(i32, i32)>) -> Result<()> {
    if key.dashed {
        let dashes = DashedPathElement::new(points, 6, 4, key.style());
        area.draw(&dashes).map_err(failed)
    } else {
        area.draw(&PathElement::new(points, key.style()))
            .map_err(failed)
    }
}

/// Shapes tell lines apart where colours do not.
fn mark(area: &Area<'_>, key: &Key, at: (i32, i32)) -> Result<()> {
    let filled = COLOURS[key.colour % COLOURS.len()].filled();
    let drawn = match key.colour % 4 {
        0 => area.draw(&Circle::new(at, 4, filled)),
        1 => area.draw(&Rectangle::new(
            [(at.0 - 3, at.1 - 3), (at.0 + 4, at.1 + 4)],
            filled,
        )),
        2 => area.draw(&TriangleMarker::new(at, 5, filled)),
        _ => area.draw(&Cross::new(at, 4, key.style())),
    };
    drawn.map_err(failed)
}

fn rule(area: &Area<'_>, colour: RGBColor, from: (i32, i32), to: (i32, i32)) -> Result<()> {
    area.draw(&PathElement::new(vec![from, to], colour.stroke_width(1)))
        .map_err(failed)
}

/// Text with its upper edge at `at`.
fn write(area: &Area<'_>, text: &str, at: (i32, i32), size: i32, to: HPos) -> Result<()> {
    let style = TextStyle::from(("sans-serif", size).into_font())
        .color(&INK)
        .pos(Pos::new(to, VPos::Top));
    area.draw(&Text::new(text.to_owned(), at, style))
        .map_err(failed)
}

fn failed(error: impl std::error::Error) -> wasmtime::Error {
    format_err!("the plot cannot be drawn: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_its_lines_and_names() {
        let axis = || Axis::time("latency", [1e3, 1e6]);
        let panel = Panel {
            title: "rust".into(),
            x: Axis::steps("callers", &[1, 2, 4]),
            y: axis(),
            lines: vec![
                (0, vec![(1.0, 1e3), (4.0, 1e6)]),
                (1, vec![(1.0, f64::NAN)]),
            ],
            marks: true,
        };
        let plot = Plot {
            title: "How long".into(),
            columns: 2,
            panel: (400, 300),
            keys: vec![Key::ours(0, "prewarm"), Key::bare(1, "bare")],
            panels: vec![panel.clone(), panel.clone(), panel],
        };
        let svg = plot.svg().unwrap();
        for text in [
            "How long",
            "prewarm",
            "bare",
            "callers",
            "latency",
            "width=\"800\"",
        ] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(svg.ends_with("</svg>\n"));
    }
}
