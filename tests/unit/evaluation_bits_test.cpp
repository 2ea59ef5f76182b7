// The rules are part of a trial's bits, so theirs must not depend on compiler, flags or machine: hashes of a few, written down once.
// Whoever changes them on purpose changes every stored number: docs/numerics.md and the reference must change too.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <vector>

#include "evaluation/scalar.hpp"
#include "evaluation_fixtures.hpp"

namespace limrisk {
namespace {

using testing::normal_law;
using testing::truncated_law;
using testing::uniform_law;

/// FNV-1a over the bytes of the doubles, lowest first.
std::uint64_t hash(const std::vector<double>& values) {
    std::uint64_t h = 0xCBF29CE484222325u;
    for (const double value : values)
        for (int byte = 0; byte < 8; ++byte) h = (h ^ (std::bit_cast<std::uint64_t>(value) >> (8 * byte) & 0xFF)) * 0x100000001B3u;
    return h;
}

std::uint64_t hash(const NodeSet& set) { return hash(set.inputs) ^ 3 * hash(set.weights) ^ 5 * hash(set.targets); }

NodeSet with_targets(NodeSet set, const char* target) {
    fill_targets(set, Expression::compile(target, set.dimension).program());
    return set;
}

TEST(EvaluationBits, AreTheSameEverywhere) {
    EXPECT_EQ(hash(with_targets(midpoint_grid(uniform_law(2, -1, 0.3), 12), "exp(x1) * sin(x2)")), 10384335985473568271u);
    EXPECT_EQ(hash(with_targets(evaluation_rule(uniform_law(3, 0.1, 0.7), 8), "log(x1) + x2^x3")), 8886128604163925041u);
    EXPECT_EQ(hash(with_targets(evaluation_rule(normal_law(1, 0.5, 2), 64), "tanh(x1) / (2 + cos(x1))")), 8654564373746544193u);
    EXPECT_EQ(hash(with_targets(evaluation_rule(truncated_law(7, 0, 1, -1, 2), 1000), "sqrt(abs(x7)) - x1")), 16981499947807910579u);
    EXPECT_EQ(hash(target_mesh(truncated_law(1, 0, 1, 0, 3), Expression::compile("x1^0.25 + abs(sin(5*x1))", 1).program()).points),
              5402566544697473441u);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(density_normalizer(truncated_law(1, 0.1, 0.7, -1, 2))), 4603644168873419851u);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(normal_probability(-1.25)), 4592277289164250154u);
}

}  // namespace
}  // namespace limrisk
