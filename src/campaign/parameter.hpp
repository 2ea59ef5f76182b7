// One parameter of a campaign: name, type, default, range, meaning, where its value goes and whence it comes back.
// Validation, suggestions, descriptions, labels, views, `limrisk list` and docs/campaign.md all read this.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "campaign/cell.hpp"

namespace limrisk {

struct Catalog;

enum class ParameterType {
    Integer,
    Unsigned,  ///< an integer of 64 bits without sign; in TOML those below 2^63
    Real,      ///< any finite number
    Reals,     ///< a finite number, or a list of them, one per coordinate of the input
    Boolean,
    Choice,  ///< one of a few words
    Text,
    Expression,    ///< a number, or a text: an expression in h and d
    Function,      ///< a number (`text` is empty), or a text: an expression in x1 .. xd, which the rules of its key look at
    LearningRate,  ///< a number, or an entry of the schedule catalog
    Entry,         ///< an entry of a catalog
    Data,          ///< a table with data points, or where they are
    Start,         ///< a table with parameters, or the file where they are
    Target,        ///< an expression, or a table with a teacher
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
    double number = 0;                       ///< Real, and Integer converted
    std::vector<double> numbers = {};        ///< Reals that are a list; then `number` does not count
    std::int64_t integer = 0;                ///< Integer; Unsigned by its bits; Boolean 0 or 1; Choice: position in the list
    std::string text;                        ///< Text, Target, Expression, Function
    DataPointer data;                        ///< Data
    StartPointer start;                      ///< Start
    std::shared_ptr<const Teacher> teacher;  ///< Target: that is, or was, drawn
};

struct Parameter {
    const char* name = nullptr;
    ParameterType type = ParameterType::Integer;
    const char* meaning = nullptr;
    Range range = {};
    const char* fallback = nullptr;  ///< TOML text of the default; nullptr: must be given, or `usual` says it
    bool required = false;
    std::vector<const char*> choices = {};  ///< Choice
    void (*store)(CellConfig&, const ParameterValue&) = nullptr;
    /// The inverse; nullopt where the cell does not have it (the box of a normal law without one).
    std::optional<ParameterValue> (*load)(const CellConfig&) = nullptr;
    const char* limit = nullptr;       ///< what is allowed beside `range`, in words
    const char* usual = nullptr;       ///< a default that follows from other keys, in words
    const Catalog* catalog = nullptr;  ///< Entry, LearningRate: what can be chosen
    bool has_column = false;           ///< of an entry: whether the view `parameters` of a store has a column for it
    bool several = false;              ///< Choice: a list has several of the words, and is no sweep
    bool later = false;                ///< of an entry: younger than stores that limrisk reads, so that descriptions leave the default out

    std::string type_text() const;
    /// Meaning, limit and default, as messages have them in brackets.
    std::string explanation() const;
    bool is_integer() const { return type == ParameterType::Integer || type == ParameterType::Unsigned; }
    /// A value of it: numbers as their shortest exact decimals.
    std::string text(const ParameterValue& value) const;
    /// What is allowed, in words: "an integer from 1 to 256", "\"zero\" or \"drawn\"".
    std::string allowed() const;
};

}  // namespace limrisk
