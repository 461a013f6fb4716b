import { z } from "zod";

/** ISO 4217, list one: the currencies in use. */
const CODES = new Set(
  (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK " +
    "DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW " +
    "KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR " +
    "PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS " +
    "VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
  ).split(" "),
);

/** A currency by its ISO 4217 code, in capital letters. */
export const currencyCode = () =>
  z
    .string()
    .superRefine((value, context) => {
      if (CODES.has(value)) return;
      const capital = value.trim().toUpperCase();
      const hint = CODES.has(capital) ? `write ${capital}` : "write its ISO 4217 code: EUR, USD";
      context.addIssue({ code: "custom", message: "is no ISO 4217 currency code", params: { hint } });
    })
    .meta({ pattern: "^[A-Z]{3}$" });
