//! A JPEG encoder as small as can be: every block of 8 by 8 pixels has one colour, so that no
//! cosine is ever taken. (ITU-T T.81, baseline.)

/// Pixels of a block's side.
pub const BLOCK: usize = 8;

/// `block` is asked once for each place, row by row.
pub fn encode(columns: usize, rows: usize, block: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
    let mut jpeg = vec![0xff, 0xd8];
    segment(&mut jpeg, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    // A block's first coefficient is eight times its mean, so steps of 8 keep the mean exactly.
    let mut steps = vec![0];
    steps.extend([8; 64]);
    segment(&mut jpeg, 0xdb, &steps);
    let mut frame = vec![8];
    frame.extend_from_slice(&((rows * BLOCK) as u16).to_be_bytes());
    frame.extend_from_slice(&((columns * BLOCK) as u16).to_be_bytes());
    frame.extend_from_slice(&[3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    segment(&mut jpeg, 0xc0, &frame);
    // First coefficients: nine sizes, each a code of four bits.
    let mut firsts = vec![0x00, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    firsts.extend(0..9);
    segment(&mut jpeg, 0xc4, &firsts);
    // All others: the end of the block, a code of one bit.
    let others = [0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00];
    segment(&mut jpeg, 0xc4, &others);
    segment(&mut jpeg, 0xda, &[3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
    let mut bits = Bits { out: jpeg, pending: 0, count: 0 };
    let mut last = [0i32; 3];
    for y in 0..rows {
        for x in 0..columns {
            let means = to_ycc(block(x, y));
            for (mean, last) in means.into_iter().zip(&mut last) {
                first_coefficient(&mut bits, mean - *last);
                bits.put(0, 1);
                *last = mean;
            }
        }
    }
    let mut jpeg = bits.finish();
    jpeg.extend_from_slice(&[0xff, 0xd9]);
    jpeg
}

fn segment(jpeg: &mut Vec<u8>, marker: u8, data: &[u8]) {
    jpeg.extend_from_slice(&[0xff, marker]);
    jpeg.extend_from_slice(&(data.len() as u16 + 2).to_be_bytes());
    jpeg.extend_from_slice(data);
}

/// Brightness and the two colour differences, around nought.
fn to_ycc([r, g, b]: [u8; 3]) -> [i32; 3] {
    let [r, g, b] = [r, g, b].map(f64::from);
    let y = 0.299 * r + 0.587 * g + 0.114 * b - 128.0;
    let cb = -0.1687 * r - 0.3313 * g + 0.5 * b;
    let cr = 0.5 * r - 0.4187 * g - 0.0813 * b;
    [y, cb, cr].map(|value| (value.round() as i32).clamp(-128, 127))
}

/// The difference to the block before: its size, then its bits (§F.1.2.1).
fn first_coefficient(bits: &mut Bits, difference: i32) {
    let size = 32 - difference.unsigned_abs().leading_zeros();
    bits.put(size, 4);
    let value = if difference < 0 { difference - 1 } else { difference };
    bits.put(value as u32 & ((1 << size) - 1), size);
}

struct Bits {
    out: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    /// Highest bit first.
    fn put(&mut self, value: u32, count: u32) {
        self.pending = self.pending << count | value;
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.pending >> self.count) as u8;
            self.out.push(byte);
            if byte == 0xff {
                self.out.push(0);
            }
        }
        self.pending &= (1 << self.count) - 1;
    }

    /// Padded with ones.
    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.put((1 << (8 - self.count)) - 1, 8 - self.count);
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_frame_the_picture() {
        let jpeg = encode(4, 2, |x, y| [x as u8 * 60, y as u8 * 200, 255]);
        assert!(jpeg.starts_with(&[0xff, 0xd8, 0xff, 0xe0]) && jpeg.ends_with(&[0xff, 0xd9]));
        assert!(jpeg.windows(9).any(|w| w[..2] == [0xff, 0xc0] && w[5..] == [0, 16, 0, 32]));
    }

    #[test]
    fn grey_is_grey() {
        assert_eq!(to_ycc([128; 3]), [0, 0, 0]);
        assert_eq!(to_ycc([255; 3]), [127, 0, 0]);
        assert_eq!(to_ycc([0; 3]), [-128, 0, 0]);
    }
}
