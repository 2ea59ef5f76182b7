// A parameter that is a field of the cell: pointers to members write it and read it back.
// The tables of catalogs and schema.cpp are made of these, so that no row says the same thing twice.
#pragma once
#include <optional>
#include <type_traits>

#include "campaign/catalog.hpp"
#include "campaign/parameter.hpp"

namespace limrisk {

/// The field `cell.*first.*second...`: an integer, an enumeration (by position), a number, true or false, or a text.
template <auto... path>
struct Field {
    using Type = std::remove_cvref_t<decltype((std::declval<CellConfig&>().*....*path))>;

    static void store(CellConfig& cell, const ParameterValue& value) {
        if constexpr (std::is_same_v<Type, std::string>) {
            (cell.*....*path) = value.text;
        } else if constexpr (std::is_floating_point_v<Type>) {
            (cell.*....*path) = value.number;
        } else {
            (cell.*....*path) = static_cast<Type>(value.integer);
        }
    }

    static std::optional<ParameterValue> load(const CellConfig& cell) {
        ParameterValue value;
        if constexpr (std::is_same_v<Type, std::string>) {
            value.text = (cell.*....*path);
        } else if constexpr (std::is_floating_point_v<Type>) {
            value.number = (cell.*....*path);
        } else {
            value.integer = static_cast<std::int64_t>((cell.*....*path));
            value.number = static_cast<double>(value.integer);
        }
        return value;
    }
};

/// A parameter of any type; without a default (`fallback` nullptr) it must be given.
template <auto... path>
Parameter field(const char* name, ParameterType type, const char* meaning, Range range, const char* fallback) {
    return {name, type, meaning, range, fallback, fallback == nullptr, {}, Field<path...>::store, Field<path...>::load};
}

template <auto... path>
Parameter real(const char* name, const char* meaning, Range range, const char* fallback) {
    return field<path...>(name, ParameterType::Real, meaning, range, fallback);
}

template <auto... path>
Parameter integer(const char* name, const char* meaning, Range range, const char* fallback) {
    return field<path...>(name, ParameterType::Integer, meaning, range, fallback);
}

template <auto... path>
Parameter boolean(const char* name, const char* meaning, const char* fallback) {
    return field<path...>(name, ParameterType::Boolean, meaning, {}, fallback);
}

/// One of a few words; the field holds its position.
template <auto... path>
Parameter choice(const char* name, const char* meaning, std::vector<const char*> words, const char* fallback) {
    Parameter parameter = field<path...>(name, ParameterType::Choice, meaning, {}, fallback);
    parameter.choices = std::move(words);
    return parameter;
}

/// An entry of a catalog, which writes and reads the cell itself.
inline Parameter entry(const char* name, const char* meaning, const Catalog& catalog, const char* fallback) {
    Parameter parameter{name, ParameterType::Entry, meaning, {}, fallback, fallback == nullptr};
    parameter.catalog = &catalog;
    return parameter;
}

/// The same, where other keys bound it.
inline Parameter limited(Parameter parameter, const char* limit) {
    parameter.limit = limit;
    return parameter;
}

/// The same, where other keys give the default.
inline Parameter with_default(Parameter parameter, const char* usual) {
    parameter.usual = usual;
    parameter.required = false;
    return parameter;
}

/// The same, younger than stores that limrisk reads.
inline Parameter later(Parameter parameter) {
    parameter.later = true;
    return parameter;
}

/// The same, with a column in the view `parameters`.
inline Parameter with_column(Parameter parameter) {
    parameter.has_column = true;
    return parameter;
}

}  // namespace limrisk
