// Fields of CSV files.
#pragma once
#include <string>

namespace limrisk {

/// A text, quoted where it needs to be.
std::string csv_text(const std::string& text);

/// A number of a CSV file: the shortest decimals that are exact, "inf" for infinity, empty for NaN.
std::string csv_number(double value);

}  // namespace limrisk
