//! Rectangles whose areas are as their weights: [`squarified`], after Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000).

/// A rectangle; all in the unit of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rectangle {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// One rectangle a weight, in their order, filling `room`. The weights are positive, the largest first.
pub(super) fn squarified(weights: &[f64], room: Rectangle) -> Vec<Rectangle> {
    let mut out = Vec::with_capacity(weights.len());
    let (mut left, mut room) = (weights, room);
    while !left.is_empty() {
        let scale = room.width * room.height / left.iter().sum::<f64>();
        let side = room.width.min(room.height);
        let better = |more: &usize| {
            elongation(&left[..*more], scale, side) <= elongation(&left[..more - 1], scale, side)
        };
        let row = (2..=left.len()).take_while(better).last().unwrap_or(1);
        let (taken, rest) = left.split_at(row);
        room = laid(taken, scale, room, &mut out);
        left = rest;
    }
    out
}

/// How far the longest of a row is from a square, at least 1.
fn elongation(row: &[f64], scale: f64, side: f64) -> f64 {
    let sum = row.iter().sum::<f64>() * scale;
    let (largest, least) = (row.first().map_or(0.0, |w| w * scale), row.last().map_or(0.0, |w| w * scale));
    let (side, sum) = (side * side, sum * sum);
    (side * largest / sum).max(sum / (side * least))
}

/// Lays a row along the shorter side of `room`; gives what is left of it.
fn laid(row: &[f64], scale: f64, room: Rectangle, out: &mut Vec<Rectangle>) -> Rectangle {
    let area = row.iter().sum::<f64>() * scale;
    let Rectangle { mut x, mut y, width, height } = room;
    if width >= height {
        let depth = area / height;
        for weight in row {
            let length = weight * scale / depth;
            out.push(Rectangle { x, y, width: depth, height: length });
            y += length;
        }
        return Rectangle { x: room.x + depth, width: (width - depth).max(f64::EPSILON), ..room };
    }
    let depth = area / width;
    for weight in row {
        let length = weight * scale / depth;
        out.push(Rectangle { x, y, width: length, height: depth });
        x += length;
    }
    Rectangle { y: room.y + depth, height: (height - depth).max(f64::EPSILON), ..room }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOM: Rectangle = Rectangle { x: 0.0, y: 0.0, width: 6.0, height: 4.0 };

    #[test]
    fn the_papers_example() {
        let shown: Vec<String> = squarified(&[6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0], ROOM)
            .iter()
            .map(|one| format!("{:.2},{:.2} {:.2}×{:.2}", one.x, one.y, one.width, one.height))
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @"
        0.00,0.00 3.00×2.00
        0.00,2.00 3.00×2.00
        3.00,0.00 1.71×2.33
        4.71,0.00 1.29×2.33
        3.00,2.33 1.20×1.67
        4.20,2.33 1.20×1.67
        5.40,2.33 0.60×1.67
        ");
        assert!(squarified(&[], ROOM).is_empty());
    }

    proptest! {
        #[test]
        fn areas_are_as_weights(mut weights in proptest::collection::vec(1.0f64..1e6, 1..80)) {
            weights.sort_by(|a, b| b.total_cmp(a));
            let total: f64 = weights.iter().sum();
            for (weight, one) in weights.iter().zip(squarified(&weights, ROOM)) {
                let expect = weight / total * ROOM.width * ROOM.height;
                prop_assert!((one.width * one.height - expect).abs() < 1e-6 * expect.max(1.0), "{one:?} {expect}");
                prop_assert!(one.x >= -1e-9 && one.x + one.width <= ROOM.width + 1e-6);
                prop_assert!(one.y >= -1e-9 && one.y + one.height <= ROOM.height + 1e-6);
            }
        }
    }
}
