// Philox4x32-10, one round per line of the paper.
#include "reference/philox.hpp"

namespace limrisk::reference {

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t first = std::uint64_t{0xD2511F53} * counter[0];
        const std::uint64_t second = std::uint64_t{0xCD9E8D57} * counter[2];
        const auto high = [](std::uint64_t product) { return static_cast<std::uint32_t>(product >> 32); };
        const auto low = [](std::uint64_t product) { return static_cast<std::uint32_t>(product); };
        counter = {high(second) ^ counter[1] ^ key[0], low(second), high(first) ^ counter[3] ^ key[1], low(first)};
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    return counter;
}

std::array<std::uint32_t, 4> random_words(std::uint64_t seed, Purpose purpose, std::uint64_t position, std::uint32_t call,
                                          std::uint64_t trial) {
    const auto low = [](std::uint64_t word) { return static_cast<std::uint32_t>(word); };
    const auto high = [](std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); };
    const std::uint32_t second = (static_cast<std::uint32_t>(purpose) << 28) + (high(position) << 20) + call;
    return philox({low(position), second, low(trial), high(trial)}, {low(seed), high(seed)});
}

}  // namespace limrisk::reference
