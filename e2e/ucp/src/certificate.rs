//! Authorities and certificates.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use standin::engine::{Identity, Refusal};

use crate::world::refused;

/// The name of the cluster's authority, after the real one's.
const AUTHORITY: &str = "UCP Client Root CA";

/// Makes an authority.
///
/// # Errors
///
/// Fails where the crypto library does.
pub(crate) fn authority() -> Result<Identity, Refusal> {
    let make = || {
        let key = KeyPair::generate()?;
        let certificate = authority_params()?.self_signed(&key)?;
        Ok(Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    };
    make().map_err(|error: rcgen::Error| refused(&format!("no authority can be made: {error}")))
}

/// What makes an authority the same again: signing needs its name and its key.
fn authority_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
        .distinguished_name
        .push(DnType::CommonName, AUTHORITY);
    Ok(params)
}

/// Makes a certificate for names, addresses and a common name, good for servers and clients.
///
/// # Errors
///
/// Fails where a name cannot be in a certificate, or the authority has no key.
pub(crate) fn issue(
    authority: &Identity,
    common_name: &str,
    names: &[String],
) -> Result<Identity, Refusal> {
    let make = || {
        let issuer = Issuer::new(authority_params()?, KeyPair::from_pem(&authority.key)?);
        let key = KeyPair::generate()?;
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
    make().map_err(|error: rcgen::Error| refused(&format!("no certificate can be made: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_authority_has_its_own_key() {
        let (one, other) = (authority().unwrap(), authority().unwrap());

        assert_ne!(one.key, other.key);
        assert!(one.certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        let authority = authority().unwrap();

        assert!(issue(&authority, "x", &["ä".to_owned()]).is_err());
        assert!(issue(&Identity::default(), "x", &[]).is_err());
    }
}
