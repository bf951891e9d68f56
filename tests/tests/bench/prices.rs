//! What AWS asks for: the price table in `prices.json`, list prices with the page that each stands on.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Something that has a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Good {
    /// A write request unit of DynamoDB.
    WriteUnit,
    /// A read request unit of DynamoDB.
    ReadUnit,
    /// A request to SQS, whether it finds something or not.
    SqsRequest,
    /// A request to KMS.
    KmsCall,
    /// A request to Lambda.
    Invocation,
    /// Lambda's memory multiplied with time.
    GigabyteSecond,
    /// An event put on a bus of one's own.
    Event,
    /// A gigabyte of logs.
    LogGigabyte,
    /// A gigabyte that leaves AWS.
    TransferGigabyte,
}

/// A price.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Price {
    usd: f64,
    per: f64,
    /// What it is the price of, in words.
    pub(crate) of: String,
    /// The vendor's page.
    pub(crate) source: String,
}

/// All prices.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Prices {
    /// Where they hold.
    pub(crate) region: String,
    /// Under which conditions.
    pub(crate) note: String,
    #[serde(rename = "prices")]
    by_good: BTreeMap<Good, Price>,
}

impl Prices {
    /// The table of the repository.
    pub(crate) fn table() -> Self {
        serde_json::from_str(include_str!("prices.json")).unwrap()
    }

    /// The price of one good.
    pub(crate) fn of(&self, good: Good) -> &Price {
        &self.by_good[&good]
    }

    /// What `amount` of a good costs, in US dollars.
    pub(crate) fn cost(&self, good: Good, amount: f64) -> f64 {
        let price = self.of(good);
        amount * price.usd / price.per
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Good; 9] = [
        Good::WriteUnit,
        Good::ReadUnit,
        Good::SqsRequest,
        Good::KmsCall,
        Good::Invocation,
        Good::GigabyteSecond,
        Good::Event,
        Good::LogGigabyte,
        Good::TransferGigabyte,
    ];

    #[test]
    fn every_good_has_a_price_and_a_source() {
        let prices = Prices::table();
        assert_eq!(prices.by_good.len(), ALL.len());
        for good in ALL {
            let price = prices.of(good);
            assert!(price.usd > 0.0 && price.per >= 1.0, "{price:?}");
            assert!(price.source.starts_with("https://aws.amazon.com/"));
        }
    }

    #[test]
    fn amounts_are_multiplied_with_their_price() {
        let prices = Prices::table();
        // Six write units for each of 1,000 mails.
        assert_eq!(
            format!("{:.5}", prices.cost(Good::WriteUnit, 6_000.0)),
            "0.00375"
        );
        assert_eq!(format!("{:.2}", prices.cost(Good::KmsCall, 1e6)), "3.00");
    }
}
