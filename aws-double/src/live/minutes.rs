//! Samples of one metric, put together by minutes as CloudWatch does.

use crate::state::series::Point;

/// Samples a minute must have to be published: a minute that was only watched in part says nothing about itself.
const ENOUGH_SAMPLES: f64 = 45.0;
/// Minutes kept: six hours.
const KEPT_SECONDS: i64 = 6 * 3600;

/// The minute in progress of one metric.
#[derive(Debug, Default)]
pub struct Minutes {
    current: Option<Point>,
}

impl Minutes {
    /// Takes in a sample of the instant `at` (Unix seconds); the minute before, when this one is the next's first.
    /// An incomplete minute is dropped, not published.
    pub fn sample(&mut self, at: i64, value: f64) -> Option<Point> {
        let start = at - at.rem_euclid(60);
        let sample = Point::single(start, value);
        match self.current {
            Some(current) if current.start == start => {
                self.current = Some(current.merged(sample, start));
                None
            }
            finished => {
                self.current = Some(sample);
                finished.filter(|point| point.count >= ENOUGH_SAMPLES)
            }
        }
    }
}

/// Adds a finished minute and forgets those of long ago.
pub fn keep(points: &mut Vec<Point>, finished: Point) {
    points.retain(|point| point.start > finished.start - KEPT_SECONDS);
    points.push(finished);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_minute_is_published_with_the_first_sample_of_the_next() {
        let mut minutes = Minutes::default();
        let published: Vec<Point> = (120..=180).filter_map(|at| minutes.sample(at, (at - 120) as f64)).collect();
        assert_eq!(published, [Point { start: 120, minimum: 0.0, maximum: 59.0, sum: 1770.0, count: 60.0 }]);
    }

    #[test]
    fn a_minute_watched_in_part_is_not_published() {
        let mut minutes = Minutes::default();
        assert_eq!((140..=180).filter_map(|at| minutes.sample(at, 1.0)).count(), 0);
    }

    #[test]
    fn minutes_of_long_ago_are_forgotten() {
        let mut points = vec![Point::single(0, 1.0)];
        keep(&mut points, Point::single(KEPT_SECONDS, 2.0));
        assert_eq!(points, [Point::single(KEPT_SECONDS, 2.0)]);
    }
}
