// One parameter of a campaign: name, type, default, range, meaning, where its value goes and whence it comes back.
// Validation, suggestions, descriptions, labels, `limrisk list` and docs/campaign.md all read this.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "campaign/cell.hpp"

namespace limrisk {

enum class ParameterType {
    Integer,
    Real,  ///< any finite number
    Boolean,
    Choice,  ///< one of a few words
    Text,
    LearningRate,  ///< a number, or an entry of the schedule catalog
};

/// Allowed numbers. Ends are included unless open.
struct Range {
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();
    bool low_open = false, high_open = false;
    bool contains(double value) const;
    /// "1 to 256", "greater than 0", "at least 0 and below 1", "any finite number".
    std::string text() const;
};

/// A value as read. Which member counts follows from the type.
struct ParameterValue {
    double number = 0;         ///< Real, and Integer converted
    std::int64_t integer = 0;  ///< Integer; Boolean 0 or 1; Choice: position in the list
    std::string text;          ///< Text
};

struct Parameter {
    const char* name;
    ParameterType type;
    const char* meaning;
    Range range;
    /// TOML text of the default; nullptr: must be given, or has a default that `meaning` states.
    const char* fallback;
    bool required;
    std::vector<const char*> choices;  ///< Choice
    void (*store)(CellConfig&, const ParameterValue&);
    /// The inverse; nullopt where the cell does not have it (the box of a normal law without one).
    std::optional<ParameterValue> (*load)(const CellConfig&);

    std::string type_text() const;
    /// A value of it: numbers as their shortest exact decimals.
    std::string text(const ParameterValue& value) const;
    /// What is allowed, in words: "an integer from 1 to 256", "\"zero\" or \"drawn\"".
    std::string allowed() const;
};

}  // namespace limrisk
