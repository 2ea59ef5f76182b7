// Tile operations, masks, variates and conversions of every instruction set against plain loops.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "lanes_probe.hpp"

namespace limrisk::test {
namespace {

template <class Real>
const RealProbe<Real>& real(const LanesProbe& probe) {
    if constexpr (sizeof(Real) == 4)
        return probe.single;
    else
        return probe.twice;
}

template <class Real>
bool same_bits(Real a, Real b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

template <class Real>
class Lanes : public testing::Test {
protected:
    std::mt19937_64 engine{42};
    std::vector<Real> random(std::size_t count) {
        std::normal_distribution<double> normal;
        std::vector<Real> values(count);
        for (Real& value : values) value = static_cast<Real>(normal(engine) * std::exp(3 * normal(engine)));
        return values;
    }
};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(Lanes, Reals);

/// The tree of docs/numerics.md section 1.
template <class Real>
Real tree_sum(std::vector<Real> s) {
    for (std::size_t distance = s.size() / 2; distance > 0; distance /= 2)
        for (std::size_t j = 0; j < distance; ++j) s[j] = s[j] + s[j + distance];
    return s[0];
}

TYPED_TEST(Lanes, TileSumIsTheTreeInEveryLane) {
    for (const LanesProbe& probe : available_probes())
        for (int tile = 1; tile <= 32; tile *= 2) {
            const auto in = this->random(32);
            TypeParam out[32];
            real<TypeParam>(probe).tile_sum(in.data(), tile, out);
            for (int i = 0; i < 32; ++i) {
                const int start = i & ~(tile - 1);
                const TypeParam sum = tree_sum(std::vector<TypeParam>(in.begin() + start, in.begin() + start + tile));
                EXPECT_TRUE(same_bits(out[i], sum)) << probe.name << " tile " << tile << " lane " << i;
            }
        }
}

TYPED_TEST(Lanes, TransposedSumsAreTheSameTree) {
    for (const LanesProbe& probe : available_probes())
        for (int tile = 1; tile <= 32; tile *= 2) {
            const auto values = this->random(static_cast<std::size_t>(tile) * 32);
            TypeParam out[32];
            real<TypeParam>(probe).tile_transpose_sum(values.data(), tile, out);
            for (int i = 0; i < 32; ++i) {
                const int start = i & ~(tile - 1), j = i & (tile - 1);
                const auto row = values.begin() + j * 32;
                const TypeParam sum = tree_sum(std::vector<TypeParam>(row + start, row + start + tile));
                EXPECT_TRUE(same_bits(out[i], sum)) << probe.name << " tile " << tile << " lane " << i;
            }
        }
}

TYPED_TEST(Lanes, BroadcastStaysInItsTile) {
    for (const LanesProbe& probe : available_probes())
        for (int tile = 1; tile <= 32; tile *= 2)
            for (int source = 0; source < tile; ++source) {
                const auto in = this->random(32);
                TypeParam out[32];
                real<TypeParam>(probe).tile_broadcast(in.data(), source, tile, out);
                for (int i = 0; i < 32; ++i)
                    EXPECT_TRUE(same_bits(out[i], in[static_cast<std::size_t>((i & ~(tile - 1)) + source)]))
                        << probe.name << " tile " << tile;
            }
}

TYPED_TEST(Lanes, MaskedOperationsKeepTheOthersBits) {
    for (const LanesProbe& probe : available_probes())
        for (int round = 0; round < 50; ++round) {
            auto a = this->random(32), b = this->random(32), sum = this->random(32);
            a[0] = TypeParam(0);
            a[1] = -TypeParam(0);
            sum[1] = sum[2] = -TypeParam(0);
            a[2] = -std::abs(a[2]);
            a[3] = std::numeric_limits<TypeParam>::quiet_NaN();
            a[4] = std::numeric_limits<TypeParam>::infinity();
            TypeParam fused[32], added[32], positive[32];
            real<TypeParam>(probe).masked(a.data(), b.data(), sum.data(), fused, added, positive);
            for (std::size_t i = 0; i < 32; ++i) {
                const bool active = a[i] > 0;
                EXPECT_TRUE(same_bits(fused[i], active ? std::fma(a[i], b[i], sum[i]) : sum[i])) << probe.name << " lane " << i;
                EXPECT_TRUE(same_bits(added[i], active ? sum[i] + b[i] : sum[i])) << probe.name << " lane " << i;
                EXPECT_TRUE(same_bits(positive[i], active ? a[i] : TypeParam(0))) << probe.name << " lane " << i;
            }
        }
}

TYPED_TEST(Lanes, ConversionToDoubleIsExact) {
    for (const LanesProbe& probe : available_probes()) {
        const auto in = this->random(32);
        double out[32];
        real<TypeParam>(probe).to_double(in.data(), out);
        for (std::size_t i = 0; i < 32; ++i) EXPECT_EQ(out[i], static_cast<double>(in[i])) << probe.name;
    }
}

TYPED_TEST(Lanes, UniformVariatesAreExactAndStayInTheBox) {
    std::uint32_t words[32];
    for (std::uint32_t i = 0; i < 32; ++i) words[i] = i * 0x08421085u;
    words[0] = 0;
    words[31] = 0xFFFFFFFFu;
    for (const LanesProbe& probe : available_probes()) {
        TypeParam out[32];
        real<TypeParam>(probe).variates({kernels::LawKind::Uniform, 0, 1, 0, 0, 0, 0}, words, out);
        for (int i = 0; i < 32; ++i) {
            const double u = sizeof(TypeParam) == 4 ? (static_cast<double>(words[i] >> 9) + 0.5) * 0x1p-23 : (words[i] + 0.5) * 0x1p-32;
            EXPECT_EQ(static_cast<double>(out[i]), u) << probe.name;
            EXPECT_GT(out[i], 0);
            EXPECT_LT(out[i], 1);
        }
        // A box whose rounded range overshoots its end: the variate is held inside.
        for (const auto& [low, high] : {std::pair{-1e-3, 3.0}, {-0.1, 0.7}, {1.0, 1.0 + 1e-6}, {-5e8, 3e-3}}) {
            real<TypeParam>(probe).variates({kernels::LawKind::Uniform, low, high, 0, 0, 0, 0}, words, out);
            for (const TypeParam variate : out) {
                EXPECT_GE(variate, static_cast<TypeParam>(low)) << probe.name;
                EXPECT_LE(variate, static_cast<TypeParam>(high)) << probe.name;
            }
        }
    }
}

}  // namespace
}  // namespace limrisk::test
