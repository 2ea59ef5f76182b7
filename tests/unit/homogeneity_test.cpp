// What it costs to get dL/dv of a ReLU neuron from homogeneity (b T0 + sum_k w_k T_k) instead of a third sum (sum e A(z)), in float.
// Prints the errors that docs/numerics.md section 4 states and bounds them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace {

struct Errors {
    std::vector<double> homogeneity, third_sum;
};

/// Errors of dL/dv over random neurons with a kink inside the box [low, low + 1]^d and 32 samples, relative to the root of sum (e A(z))^2.
Errors measure(int dimension, double low) {
    std::mt19937_64 engine(1);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> box(low, low + 1);
    const auto d = static_cast<std::size_t>(dimension);
    Errors errors;
    for (int neuron = 0; neuron < 4000; ++neuron) {
        std::vector<float> w(d), t(d), x(d);
        double at_kink = 0;
        for (float& weight : w) {
            weight = static_cast<float>(normal(engine));
            at_kink += weight * box(engine);
        }
        const auto b = static_cast<float>(-at_kink);
        float t0 = 0, third = 0;
        double truth = 0, scale = 0;
        for (int sample = 0; sample < 32; ++sample) {
            const auto e = static_cast<float>(normal(engine));
            float z = b;
            double exact = b;
            for (std::size_t k = 0; k < d; ++k) {
                x[k] = static_cast<float>(box(engine));
                z = std::fma(w[k], x[k], z);
                exact += static_cast<double>(w[k]) * static_cast<double>(x[k]);
            }
            if (z > 0) {
                t0 += e;
                for (std::size_t k = 0; k < d; ++k) t[k] = std::fma(e, x[k], t[k]);
                third = std::fma(e, z, third);
            }
            if (exact > 0) {
                truth += e * exact;
                scale += e * exact * e * exact;
            }
        }
        if (scale == 0) continue;
        float homogeneous = b * t0;
        for (std::size_t k = 0; k < d; ++k) homogeneous = std::fma(w[k], t[k], homogeneous);
        errors.homogeneity.push_back(std::abs(homogeneous - truth) / std::sqrt(scale));
        errors.third_sum.push_back(std::abs(third - truth) / std::sqrt(scale));
    }
    return errors;
}

double quantile(std::vector<double> values, double p) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(p * static_cast<double>(values.size() - 1))];
}

TEST(Homogeneity, CostsLittleNearTheOriginAndMoreFarFromIt) {
    for (const int dimension : {1, 2, 4, 16})
        for (const double low : {0.0, 10.0}) {
            const Errors errors = measure(dimension, low);
            const double median = quantile(errors.homogeneity, 0.5), high = quantile(errors.homogeneity, 0.99);
            fmt::print("d = {:2}, box [{}, {}]: homogeneity median {:.1e}, 99 % {:.1e}; third sum median {:.1e}, 99 % {:.1e}\n", dimension,
                       low, low + 1, median, high, quantile(errors.third_sum, 0.5), quantile(errors.third_sum, 0.99));
            // |b| and |w x| are of the order of low + 1 times |z|, and so is the rounding error.
            EXPECT_LE(median, (low + 1) * 2.5e-7);
            EXPECT_LE(high, (low + 1) * 6e-6);
        }
}

}  // namespace
