//! A PNG encoder as small as can be: RGB, each row as differences, runs compressed.

/// `pixel` is asked once for each place, row by row.
pub fn encode(width: usize, height: usize, pixel: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
    let mut raw = Vec::with_capacity((width * 3 + 1) * height);
    for y in 0..height {
        // Filter "sub": a pixel like the one on its left is three zeros.
        raw.push(1);
        let mut left = [0u8; 3];
        for x in 0..width {
            let here = pixel(x, y);
            raw.extend((0..3).map(|i| here[i].wrapping_sub(left[i])));
            left = here;
        }
    }
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend_from_slice(&(width as u32).to_be_bytes());
    header.extend_from_slice(&(height as u32).to_be_bytes());
    header.extend_from_slice(&[8, 2, 0, 0, 0]);
    chunk(&mut png, b"IHDR", &header);
    chunk(&mut png, b"IDAT", &zlib(&raw));
    chunk(&mut png, b"IEND", &[]);
    png
}

fn chunk(png: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    png.extend_from_slice(&(data.len() as u32).to_be_bytes());
    let from = png.len();
    png.extend_from_slice(name);
    png.extend_from_slice(data);
    let crc = crc32(&png[from..]);
    png.extend_from_slice(&crc.to_be_bytes());
}

/// RFC 1950 around one RFC 1951 block with fixed codes.
fn zlib(raw: &[u8]) -> Vec<u8> {
    let mut bits = Bits { out: vec![0x78, 0x01], pending: 0, count: 0 };
    bits.put(0b011, 3); // the last block, fixed codes
    let mut at = 0;
    while at < raw.len() {
        let byte = raw[at];
        literal(&mut bits, byte);
        at += 1;
        let mut run = raw[at..].iter().take_while(|next| **next == byte).count();
        at += run;
        // A run is a copy from distance 1; only lengths whose codes have no extra bits are used.
        while run >= 3 {
            let length = if run >= 258 { 258 } else { run.min(10) };
            let symbol = if length == 258 { 285 } else { 254 + length as u32 };
            length_symbol(&mut bits, symbol);
            bits.put(0, 5);
            run -= length;
        }
        (0..run).for_each(|_| literal(&mut bits, byte));
    }
    length_symbol(&mut bits, 256);
    let mut out = bits.finish();
    out.extend_from_slice(&adler32(raw).to_be_bytes());
    out
}

/// RFC 1951 §3.2.6.
fn literal(bits: &mut Bits, byte: u8) {
    match u32::from(byte) {
        byte @ 0..=143 => bits.put_code(0x30 + byte, 8),
        byte => bits.put_code(0x190 + byte - 144, 9),
    }
}

fn length_symbol(bits: &mut Bits, symbol: u32) {
    match symbol {
        256..=279 => bits.put_code(symbol - 256, 7),
        _ => bits.put_code(0xc0 + symbol - 280, 8),
    }
}

struct Bits {
    out: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    /// Lowest bit first.
    fn put(&mut self, value: u32, count: u32) {
        self.pending |= value << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    /// Codes go highest bit first.
    fn put_code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.out.push(self.pending as u8);
        }
        self.out
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (a + b) % 65_521)
    });
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_known_ones() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn runs_become_copies() {
        // One literal, one copy of 258, one of 3, the end: a few bytes and the frame.
        assert!(zlib(&[7; 262]).len() < 16);
        let plain = encode(64, 64, |_, _| [1, 2, 3]);
        assert!(plain.len() < 64 * 64, "{}", plain.len());
    }
}
