// The reference's random numbers: Random123's known answers, the layout of the counter, exact unit variates.
#include <gtest/gtest.h>

#include "reference/philox.hpp"
#include "reference/philox_known_answers.hpp"
#include "reference/variate.hpp"

namespace limrisk::reference {
namespace {

TEST(ReferencePhilox, KnownAnswers) {
    for (const test::PhiloxAnswer& answer : test::philox_known_answers) EXPECT_EQ(philox(answer.counter, answer.key), answer.output);
}

TEST(ReferencePhilox, CounterHoldsPositionPurposeCallAndTrial) {
    const std::uint64_t seed = 0x0123456789ABCDEF, trial = 0xFEDCBA9876543210, position = 0xAB12345678;
    EXPECT_EQ(random_words(seed, Purpose::Samples, position, 0x54321, trial),
              philox({0x12345678, 0x3AB54321, 0x76543210, 0xFEDCBA98}, {0x89ABCDEF, 0x01234567}));
}

TEST(ReferenceVariate, UnitVariatesAreMidpointsOfTheirCells) {
    EXPECT_EQ(unit_variate(0, float{}), 0x1p-24f);
    EXPECT_EQ(unit_variate(0xFFFFFFFF, float{}), 1 - 0x1p-24f);
    EXPECT_EQ(unit_variate(0x80000000, float{}), 0.5f + 0x1p-24f);
    EXPECT_EQ(unit_variate(0, double{}), 0x1p-33);
    EXPECT_EQ(unit_variate(0xFFFFFFFF, double{}), 1 - 0x1p-33);
}

template <class Real>
class ReferenceVariateOf : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(ReferenceVariateOf, Reals);

TYPED_TEST(ReferenceVariateOf, BoundedLawsStayInTheirBox) {
    // 0.1, 0.3: neither end is a binary fraction. Truncated to [0, 40]: p rounds up to 1 in float without its bound.
    const Law uniform{LawKind::Uniform, 0.1, 0.3, 0, 0, 0, 0};
    const Law truncated{LawKind::TruncatedNormal, 0, 40, 0, 1, 0.5, 1};
    for (const std::uint32_t word : {0u, 1u, 511u, 512u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFE00u, 0xFFFFFFFEu, 0xFFFFFFFFu}) {
        const TypeParam u = variate<TypeParam>(uniform, word);
        EXPECT_TRUE(u >= TypeParam(0.1) && u <= TypeParam(0.3)) << word << " gives " << u;
        const TypeParam t = variate<TypeParam>(truncated, word);
        EXPECT_TRUE(t >= 0 && t <= 40) << word << " gives " << t;
    }
}

TYPED_TEST(ReferenceVariateOf, NormalIsSymmetricAboutItsMean) {
    const Law normal{LawKind::Normal, 0, 0, 0, 2, 0, 0};
    for (const std::uint32_t word : {0u, 1000u, 0x12345678u, 0x7FFFFFFFu})
        EXPECT_EQ(variate<TypeParam>(normal, word), -variate<TypeParam>(normal, ~word)) << word;
}

}  // namespace
}  // namespace limrisk::reference
