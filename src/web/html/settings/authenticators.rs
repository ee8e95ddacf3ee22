//! What makes and keeps passkeys, by the AAGUID that each of them writes into a new one. Makers
//! publish theirs; one that is not here is called a passkey, which is true of all.

const KNOWN: &[(u128, &str)] = &[
    (0x08987058_cadc_4b81_b6e1_30de50dcbe96, "Windows Hello"),
    (0x0ea242b4_43c4_4a1b_8b17_dd6d0b6baec6, "Keeper"),
    (0x19083c3d_8383_4b18_bc03_8f1c9ab2fd1b, "YubiKey 5"),
    (0x2fc0579f_8113_47ea_b116_bb5a8db9202a, "YubiKey 5"),
    (0x50726f74_6f6e_5061_7373_50726f746f6e, "Proton Pass"),
    (0x531126d6_e717_415c_9320_3d9aa6981239, "Dashlane"),
    (0x53414d53_554e_4700_0000_000000000000, "Samsung Pass"),
    (0x6028b017_b1d4_4c02_b4b3_afcdafc96bb2, "Windows Hello"),
    (0x771b48fd_d3d4_4f74_9232_fc157ab0507a, "Edge on Mac"),
    (0x9ddd1817_af5a_4672_a2b9_3e3dd95000a9, "Windows Hello"),
    (0xa25342c0_3cdc_4414_8e46_f4807fca511c, "YubiKey 5"),
    (0xadce0002_35bc_c60a_648b_0b25f1f05503, "Chrome on Mac"),
    (0xb5397666_4885_aa6b_cebf_e52262a439a2, "Chromium"),
    (0xb78a0a55_6ef8_d246_a042_ba0f6d55050c, "LastPass"),
    (0xb84e4048_15dc_4dd0_8640_f4f60813c8af, "NordPass"),
    (0xbada5566_a7aa_401f_bd96_45619a55120d, "1Password"),
    (0xc5ef55ff_ad9a_4b9f_b580_adebafe026d0, "YubiKey 5Ci"),
    (0xcb69481e_8ff7_4039_93ec_0a2729a154a8, "YubiKey 5"),
    (0xd548826e_79b4_db40_a3d8_11116f7e8349, "Bitwarden"),
    (0xdd4ec289_e01d_41c9_bb89_70fa845d4bf2, "iCloud Keychain"),
    (0xea9b8d66_4d01_1d21_3ce4_b6b48cb575d4, "Google Password Manager"),
    (0xee882879_721c_4913_9775_3dfcce97072a, "YubiKey 5"),
    (0xf3809540_7f14_49c1_a8b3_8f813b225541, "Enpass"),
    (0xfa2b99dc_9e39_4257_8f92_4a30d23c4118, "YubiKey 5"),
    (0xfbfc3007_154e_4ecc_8c0b_6e020557d7bd, "iCloud Keychain"),
    (0xfdb141b2_5d84_443e_8a35_4698c205a502, "KeePassXC"),
];

/// The authenticator's name, or “Passkey”.
pub fn name(aaguid: &[u8; 16]) -> &'static str {
    let known = KNOWN.binary_search_by_key(&u128::from_be_bytes(*aaguid), |(id, _)| *id);
    known.map_or("Passkey", |index| KNOWN[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_authenticators_are_named_and_others_are_passkeys() {
        assert!(KNOWN.is_sorted_by(|a, b| a.0 < b.0), "for the search");
        assert_eq!(name(&KNOWN[0].0.to_be_bytes()), "Windows Hello");
        assert_eq!(name(b"ProtonPassProton"), "Proton Pass");
        assert_eq!(name(&[0; 16]), "Passkey");
        assert_eq!(name(&[0xff; 16]), "Passkey");
    }
}
