// A parameter that is a field of the cell: pointers to members write it and read it back.
// The tables of catalog.cpp and schema.cpp are made of these, so that no row says the same thing twice.
#pragma once
#include <optional>
#include <type_traits>

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

/// A number; without a default (`fallback` nullptr) it must be given.
template <auto... path>
Parameter real(const char* name, const char* meaning, Range range, const char* fallback) {
    return {name, ParameterType::Real, meaning, range, fallback, fallback == nullptr, {}, Field<path...>::store, Field<path...>::load};
}

/// An integer; the same.
template <auto... path>
Parameter integer(const char* name, const char* meaning, Range range, const char* fallback) {
    return {name, ParameterType::Integer, meaning, range, fallback, fallback == nullptr, {}, Field<path...>::store, Field<path...>::load};
}

/// An integer that has a default which `meaning` states, since it follows from other keys.
template <auto... path>
Parameter derived_integer(const char* name, const char* meaning, Range range) {
    return {name, ParameterType::Integer, meaning, range, nullptr, false, {}, Field<path...>::store, Field<path...>::load};
}

template <auto... path>
Parameter boolean(const char* name, const char* meaning, const char* fallback) {
    return {name, ParameterType::Boolean, meaning, {}, fallback, false, {}, Field<path...>::store, Field<path...>::load};
}

/// One of a few words; the field holds its position.
template <auto... path>
Parameter choice(const char* name, const char* meaning, std::vector<const char*> words, const char* fallback) {
    return {name, ParameterType::Choice, meaning, {}, fallback, false, std::move(words), Field<path...>::store, Field<path...>::load};
}

}  // namespace limrisk
