//! Authorities and certificates, with keys from the chance of the fleet.

use rand::Rng;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use standin::engine::Identity;

use crate::engine::{Refusal, refusal};

/// The name of the cluster's authority, after the real one's.
pub(super) const AUTHORITY: &str = "UCP Client Root CA";

/// What stands before the 32 bytes of an Ed25519 key in PKCS#8 (RFC 8410, section 7).
const PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Makes a key: any 32 bytes are one, so that it can come from a seed.
fn key(rng: &mut impl Rng) -> Result<KeyPair, rcgen::Error> {
    let bytes: [u8; 32] = rng.random();
    let der = PrivatePkcs8KeyDer::from([PREFIX.as_slice(), &bytes].concat());
    KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519)
}

fn cannot(error: &rcgen::Error) -> Refusal {
    refusal(500, format!("no certificate can be made: {error}"))
}

/// Makes an authority.
///
/// # Errors
///
/// Fails where the crypto library does.
pub(in crate::engine) fn authority(rng: &mut impl Rng, name: &str) -> Result<Identity, Refusal> {
    let mut make = || {
        let key = key(rng)?;
        let certificate = authority_params(name)?.self_signed(&key)?;
        Ok(Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    };
    let made: Result<Identity, rcgen::Error> = make();
    made.map_err(|error| cannot(&error))
}

/// What makes an authority the same again: signing needs its name and its key.
fn authority_params(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

/// Makes a certificate for names, addresses and a common name, good for servers and clients.
///
/// # Errors
///
/// Fails where a name cannot be in a certificate, or the authority has no key.
pub(in crate::engine) fn issue(
    rng: &mut impl Rng,
    authority: &Identity,
    authority_name: &str,
    common_name: &str,
    names: &[String],
) -> Result<Identity, Refusal> {
    let mut make = || {
        let issuer = Issuer::new(
            authority_params(authority_name)?,
            KeyPair::from_pem(&authority.key)?,
        );
        let key = key(rng)?;
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &issuer)?;
        Ok(Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    };
    let made: Result<Identity, rcgen::Error> = make();
    made.map_err(|error| cannot(&error))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::SmallRng;

    use super::*;

    #[test]
    fn equal_seeds_make_equal_certificates() {
        let make = || {
            let mut rng = SmallRng::seed_from_u64(7);
            let authority = authority(&mut rng, AUTHORITY).unwrap();
            let names = vec!["10.0.0.1".to_owned(), "mke.lab".to_owned()];
            let server = issue(&mut rng, &authority, AUTHORITY, "ucp-controller", &names).unwrap();
            (authority, server)
        };

        assert_eq!(make(), make());
    }
}
