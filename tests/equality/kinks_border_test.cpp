// The search for the border of a piece: from any guess the same number as a count, and within its range even where there is no border.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/group_kinks.hpp"

namespace limrisk::kernels {
namespace {

TEST(Border, IsFoundFromAnyGuess) {
    for (const std::int32_t count : {0, 1, 2, 3, 7, 64, 129})
        for (std::int32_t border = 0; border <= count; ++border)
            for (std::int32_t guess = 0; guess <= count; ++guess) {
                int asked = 0;
                const std::int32_t found = border_from(guess, count, [&](std::int32_t j) {
                    EXPECT_GE(j, 0);
                    EXPECT_LT(j, count);
                    ++asked;
                    return j >= border;
                });
                ASSERT_EQ(found, border) << count << " from " << guess;
                const double distance = std::abs(border - guess);
                ASSERT_LE(asked, 3 + 2 * std::log2(1 + distance)) << count << " from " << guess << " to " << border;
            }
}

/// A search that met a predicate of no kind would end, and ask for nodes only.
TEST(Border, StaysInRangeForAnyPredicate) {
    std::mt19937_64 engine(1);
    for (int turn = 0; turn < 20000; ++turn) {
        const auto count = static_cast<std::int32_t>(engine() % 70);
        std::vector<bool> past(static_cast<std::size_t>(count));
        for (auto&& value : past) value = engine() % 2 == 0;
        const auto guess = static_cast<std::int32_t>(engine() % static_cast<std::uint64_t>(count + 1));
        const std::int32_t found = border_from(guess, count, [&](std::int32_t j) { return past.at(static_cast<std::size_t>(j)); });
        ASSERT_GE(found, 0);
        ASSERT_LE(found, count);
    }
}

}  // namespace
}  // namespace limrisk::kernels
