//! The lines around those that a sieve has found, over the ends of blocks.

use std::ops::Range;

/// How many lines around each that is found are wanted as well.
///
/// One more on each side is let through: so whoever shows them sees where others were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Around {
    before: usize,
    behind: usize,
    /// So many lines of the next block are behind one that was found.
    owed: usize,
}

impl Around {
    /// Returns one for so many lines before and behind.
    pub fn new(before: usize, behind: usize) -> Self {
        if before == 0 && behind == 0 {
            return Self::default();
        }
        Self { before: before.saturating_add(1), behind: behind.saturating_add(1), owed: 0 }
    }

    /// Returns whether any are wanted.
    pub(super) const fn is_some(&self) -> bool {
        self.before > 0
    }

    /// Adds to places of a block, which are whole lines in order, the lines around them; those that
    /// may be before the first one of the next block as well.
    pub(super) fn widen(&mut self, block: &[u8], places: &[Range<usize>]) -> Vec<Range<usize>> {
        let mut wide = Wide::default();
        wide.add(0..forward(block, 0, self.owed));
        for place in places {
            let begin = backward(block, place.start, self.before);
            wide.add(begin..forward(block, place.end, self.behind));
        }
        wide.add(backward(block, block.len(), self.before)..block.len());
        let (end, owed) = places.last().map_or((0, self.owed), |last| (last.end, self.behind));
        self.owed = owed.saturating_sub(lines(block.get(end..).unwrap_or_default()));
        wide.0
    }
}

/// Places in order that do not touch each other.
#[derive(Debug, Default)]
struct Wide(Vec<Range<usize>>);

impl Wide {
    fn add(&mut self, place: Range<usize>) {
        match self.0.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            Some(_) | None if place.is_empty() => {}
            Some(_) | None => self.0.push(place),
        }
    }
}

fn lines(block: &[u8]) -> usize {
    block.split_inclusive(|byte| *byte == b'\n').count()
}

/// Returns where so many lines end that begin at a place.
fn forward(block: &[u8], from: usize, count: usize) -> usize {
    let Some(last) = count.checked_sub(1) else { return from };
    let rest = block.get(from..).unwrap_or_default();
    let mut ends = rest.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.nth(last).map_or(block.len(), |(end, _)| from + end + 1)
}

/// Returns where so many lines begin that end at a place.
fn backward(block: &[u8], to: usize, count: usize) -> usize {
    if count == 0 {
        return to;
    }
    let before = block.get(..to).unwrap_or_default();
    // The line end at the place is the last line's own.
    let inner = before.strip_suffix(b"\n").unwrap_or(before);
    let mut ends = inner.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    ends.nth(count - 1).map_or(0, |(end, _)| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_comes_whatever_the_blocks_are() {
        let line = |number: usize| format!("{number}\n");
        let all: Vec<String> = (0..60).map(line).collect();
        let found = [7, 8, 20, 21, 40, 59];
        for (before, behind) in [(0, 0), (1, 0), (0, 1), (2, 3), (9, 9), (100, 100)] {
            for lines_of_block in [1, 2, 3, 7, 60] {
                let mut around = Around::new(before, behind);
                let mut kept = Vec::new();
                for (at, lines) in all.chunks(lines_of_block).enumerate() {
                    let places =
                        places_of(lines, |line| found.contains(&(at * lines_of_block + line)));
                    let block = lines.concat();
                    let wide = if around.is_some() {
                        around.widen(block.as_bytes(), &places)
                    } else {
                        places
                    };
                    kept.extend(
                        wide.into_iter().flat_map(|place| numbers(block.get(place).unwrap())),
                    );
                }
                let is_near = |line: &usize| {
                    found.iter().any(|found| *line <= found + behind && *found <= line + before)
                };
                let wanted: Vec<usize> = (0..60).filter(is_near).collect();
                let case = format!("{before} {behind} {lines_of_block}: {kept:?}");
                assert!(wanted.iter().all(|line| kept.contains(line)), "{case}");
                assert!(kept.windows(2).all(|pair| pair[0] < pair[1]), "{case}");
                if lines_of_block == 60 && before + behind < 5 {
                    assert!(kept.len() < 40, "{case}");
                }
            }
        }
    }

    fn places_of(lines: &[String], is_found: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
        let mut from = 0;
        let place = |line: &String| {
            from += line.len();
            from - line.len()..from
        };
        let places: Vec<Range<usize>> = lines.iter().map(place).collect();
        let found = places.into_iter().enumerate().filter(|(line, _)| is_found(*line));
        found.map(|(_, place)| place).collect()
    }

    fn numbers(text: &str) -> Vec<usize> {
        text.lines().map(|line| line.parse().unwrap()).collect()
    }
}
