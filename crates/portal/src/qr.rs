//! A QR code as SVG: one path, so that it needs neither a picture nor a script.

use std::fmt::Write as _;

use kernel::{Error, Result};
use qrcode::{Color, QrCode};

/// Light modules around the code, as ISO/IEC 18004 wants them.
const QUIET: usize = 4;

/// Draws `text`. `label` is what it is, for whoever cannot see it; it must be HTML already.
///
/// Error: 500 for more than a code holds (2,900 bytes).
pub(crate) fn svg(text: &str, label: &str) -> Result<String> {
    let code = QrCode::new(text).map_err(|error| Error::internal(format!("{error:?}")))?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row[x..].iter().take_while(|color| **color == Color::Dark).count();
            if run > 0 {
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
            }
            x += run.max(1);
        }
    }
    let side = width + 2 * QUIET;
    Ok(format!(
        "<svg role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The finder pattern's first row, seven modules, begins behind the quiet zone.
    #[test]
    fn a_code_is_drawn_in_runs() {
        let svg = svg("otpauth://totp/x?secret=JBSWY3DPEHPK3PXP", "A code").unwrap();
        assert!(svg.contains("d=\"M4 4h7v1h-7z"), "{svg}");
        assert!(svg.starts_with("<svg role=\"img\" aria-label=\"A code\" viewBox=\"0 0 "));
    }
}
