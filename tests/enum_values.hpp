// The values of an enumeration 0, 1, ..., as the compiler knows them: a test that walks them meets each one that is added later.
#pragma once
#include <array>
#include <cstddef>
#include <functional>
#include <set>
#include <string_view>
#include <utility>

namespace limrisk::test {

/// Whether `value` is one of its enumeration: GCC and Clang then print its name, else a cast, "(limrisk::Verdict)4".
template <auto value>
constexpr bool is_named() {
    constexpr std::string_view text = __PRETTY_FUNCTION__;
    constexpr char behind_cast = text[text.rfind(')') + 1];
    return behind_cast < '0' || behind_cast > '9';
}

template <class Enum, std::size_t count = 0>
constexpr std::size_t enum_count() {
    if constexpr (is_named<static_cast<Enum>(count)>())
        return enum_count<Enum, count + 1>();
    else
        return count;
}

/// All values, ascending. They begin at 0 and have no gaps.
template <class Enum>
constexpr auto enum_values() {
    return []<std::size_t... k>(std::index_sequence<k...>) { return std::array{static_cast<Enum>(k)...}; }
    (std::make_index_sequence<enum_count<Enum>()>());
}

/// How many kinds the elements of a list have: enum_count() if no value of the enumeration was left out.
template <class List, class KindOf>
std::size_t kinds_in(const List& list, KindOf kind_of) {
    std::set<std::remove_cvref_t<decltype(std::invoke(kind_of, *std::begin(list)))>> kinds;
    for (const auto& element : list) kinds.insert(std::invoke(kind_of, element));
    return kinds.size();
}

}  // namespace limrisk::test
