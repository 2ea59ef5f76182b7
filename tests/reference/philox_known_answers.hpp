// Known answers of Philox4x32-10, from Random123, tests/kat_vectors. Lowest word first.
#pragma once
#include <array>
#include <cstdint>

namespace limrisk::test {

struct PhiloxAnswer {
    std::array<std::uint32_t, 4> counter;
    std::array<std::uint32_t, 2> key;
    std::array<std::uint32_t, 4> output;

    std::uint64_t key_word() const { return (std::uint64_t{key[1]} << 32) | key[0]; }
};

inline constexpr PhiloxAnswer philox_known_answers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

}  // namespace limrisk::test
