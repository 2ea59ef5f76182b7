// Shares and risks for people, as captions and tables of a report write them.
#pragma once
#include <string>

namespace limrisk {

/// A share in percent for people: "37.3 %", "0.012 %".
std::string percent_text(double share);

/// Three digits: "0.00123", "1.23e-05".
std::string risk_text(double risk);

}  // namespace limrisk
