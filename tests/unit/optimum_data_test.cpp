// Local minima on data points: closed forms, and the ends of gradient descents from random starts, written here by the formula.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "limrisk/error.hpp"
#include "optimum/data_levels.hpp"
#include "optimum/hierarchy.hpp"
#include "optimum_fixture.hpp"

namespace limrisk::optimum {
namespace {

using Rows = std::vector<std::array<double, 3>>;  // x, y, weight

Problem problem_on(const Rows& rows, const std::string& activation = "relu") {
    std::string points, weights;
    for (const auto& [x, y, weight] : rows) {
        points += fmt::format("{}[{}, {}]", points.empty() ? "" : ", ", x, y);
        weights += fmt::format("{}{}", weights.empty() ? "" : ", ", weight);
    }
    return problem_of(
        parse_campaign(fmt::format("name = \"d\"\ntrials = 1\nsteps = 1\nprecision = \"float64\"\n[problem]\ndata = {{ points = "
                                   "[{}], weights = [{}] }}\n[network]\nwidth = 1\nactivation = \"{}\"\n[training]\n"
                                   "optimizer = \"sgd(0.1)\"\n",
                                   points, weights, activation),
                       "optimum_data_test")
            .cells.front());
}

std::vector<Level> levels_on(const Rows& rows, std::int64_t width) { return find_levels(problem_on(rows), width, *make_cpu_backend(1)); }

const Rows vee{{-1, 1, 1}, {0, 0, 1}, {1, 1, 1}};
const Rows exclusive_or{{-3, -1, 1}, {-2, 2, 1}, {-1, -1, 1}, {1, 1, 1}, {2, -2, 1}, {3, 1, 1}};

TEST(DataLevels, ClosedFormsOfThreePoints) {
    const std::vector<Level> one = levels_on(vee, 1), two = levels_on(vee, 2);
    ASSERT_EQ(one.size(), 2u);
    EXPECT_NEAR(one[0].risk, 1.0 / 6, 1e-15);
    EXPECT_NEAR(one[1].risk, 2.0 / 9, 1e-15);
    EXPECT_EQ(one[0].optimum_of, 1);
    EXPECT_EQ(one[1].optimum_of, 0);
    EXPECT_EQ(one[1].neurons, 0);
    ASSERT_EQ(two.size(), 3u);
    EXPECT_EQ(two[0].risk, 0) << "interpolation";
    EXPECT_EQ(two[0].optimum_of, 2);
    EXPECT_NEAR(two[1].risk, 1.0 / 6, 1e-15);
    for (const Level& level : two) EXPECT_TRUE(level.certificate.certified) << level.shape;
}

TEST(DataLevels, AConstantAndOneInputHaveOneLevel) {
    for (const Rows& rows : {Rows{{0, 2, 1}, {1, 2, 1}}, Rows{{3, 1, 1}, {3, 5, 3}}}) {
        const std::vector<Level> levels = levels_on(rows, 2);
        ASSERT_EQ(levels.size(), 1u);
        EXPECT_EQ(levels[0].neurons, 0);
        EXPECT_TRUE(levels[0].certificate.certified);
        EXPECT_NEAR(levels[0].risk, rows[0][0] == rows[1][0] ? 3 : 0, 1e-15);
    }
}

/// Two neurons that are active on all points but one each: the values are those that `limrisk limits` proves of trials on these points.
TEST(DataLevels, NeuronsThatMissOnePointEach) {
    const auto has = [](const Rows& rows, double risk) { return classify(levels_on(rows, 2), risk, 1e-12, 1e-9).has_value(); };
    const Rows whole{{-3, -3, 1}, {-2, 0, 1}, {-1, 0, 1}, {0, 0, 1}, {1, -1, 1}, {2, 1, 1}, {3, -1, 1}};
    EXPECT_TRUE(has(whole, 25.0 / 42));
    EXPECT_TRUE(has(whole, 11.0 / 28));
    EXPECT_FALSE(has(whole, 0.5));
    EXPECT_TRUE(has({{-1.33, -.78, 1}, {-.64, .74, 1}, {-.28, .16, 1}, {-.18, -1.59, 1}, {.48, 1.24, 1}, {.72, -.34, 1}, {1.06, -.45, 1}},
                    0.676489188311687));
}

/// A network and its descent: full-batch subgradients with A'(0) = 0, a rate that falls at the end.
class RandomDescent {
public:
    RandomDescent(const Rows& rows, int width, std::mt19937_64& random) : rows_(rows), w_(width), b_(width), v_(width) {
        std::normal_distribution<double> normal;
        for (auto* values : {&w_, &b_, &v_})
            for (double& value : *values) value = normal(random);
        for (const auto& row : rows_) mass_ += row[2];
    }
    double risk() const {
        double sum = 0;
        for (const auto& [x, y, weight] : rows_) sum += weight / mass_ * std::pow(output(x) - y, 2);
        return sum;
    }
    double run(int steps, double rate, double last) {
        const double factor = std::pow(last / rate, 2.0 / steps);
        for (int step = 0; step < steps; ++step) {
            advance(rate);
            if (step > steps / 2) rate *= factor;
        }
        return risk();
    }

private:
    double output(double x) const {
        double sum = c_;
        for (std::size_t i = 0; i < w_.size(); ++i) sum += v_[i] * std::max(w_[i] * x + b_[i], 0.0);
        return sum;
    }
    void advance(double rate) {
        std::vector<double> dw(w_.size()), db(w_.size()), dv(w_.size());
        double dc = 0;
        for (const auto& [x, y, weight] : rows_) {
            const double slope = 2 * weight / mass_ * (output(x) - y);
            dc += slope;
            for (std::size_t i = 0; i < w_.size(); ++i) {
                const double z = w_[i] * x + b_[i];
                if (!(z > 0)) continue;
                dv[i] += slope * z;
                dw[i] += slope * v_[i] * x;
                db[i] += slope * v_[i];
            }
        }
        c_ -= rate * dc;
        for (std::size_t i = 0; i < w_.size(); ++i) w_[i] -= rate * dw[i], b_[i] -= rate * db[i], v_[i] -= rate * dv[i];
    }
    const Rows& rows_;
    std::vector<double> w_, b_, v_;
    double c_ = 0, mass_ = 0;
};

struct DataCase {
    const char* name;
    Rows rows;
};

class DataLevelsOn : public ::testing::TestWithParam<DataCase> {};

INSTANTIATE_TEST_SUITE_P(
    Points, DataLevelsOn,
    ::testing::Values(
        DataCase{"Vee", vee}, DataCase{"ExclusiveOr", exclusive_or},
        DataCase{"Weighted", {{-1.5, 0.3, 2}, {-0.7, -0.9, 0.5}, {-0.1, 1.1, 1}, {0.6, 0.2, 3}, {1.4, -0.8, 0.25}}},
        DataCase{"Wave", {{-1.2, 0.1, 1}, {-0.8, 0.9, 1}, {-0.3, -0.7, 1}, {0.2, 0.8, 1}, {0.5, -0.4, 1}, {1.1, 0.6, 1}, {1.6, -0.9, 1}}},
        DataCase{"TwiceTheSameInput", {{-1, 0, 1}, {-1, 1, 2}, {0, -1, 1}, {0.5, 0.7, 1}, {0.5, 0.9, 1}, {1.3, -0.2, 1}}},
        DataCase{"Noise",
                 {{-1.7, 0.5, 1},
                  {-1.1, 0.2, 1},
                  {-0.9, 0.8, 1},
                  {-0.2, -0.6, 1},
                  {0.1, -0.1, 1},
                  {0.4, -0.9, 1},
                  {0.9, 0.4, 1},
                  {1.2, 0.1, 1},
                  {1.8, 0.7, 1}}}),
    [](const auto& instance) { return instance.param.name; });

TEST_P(DataLevelsOn, EveryDescentEndsOnOne) {
    const Rows& rows = GetParam().rows;
    std::mt19937_64 random(20261130);
    double furthest = 1;  // larger inputs need smaller rates
    for (const auto& row : rows) furthest = std::max(furthest, std::fabs(row[0]));
    for (const int width : {1, 2}) {
        const std::vector<Level> levels = levels_on(rows, width);
        std::vector<int> ends(levels.size());
        constexpr int starts = 200;
        for (int start = 0; start < starts; ++start) {
            RandomDescent descent(rows, width, random);
            std::optional<std::size_t> level;
            // Valleys may be flat: the descent goes on until it is on a level, or for a long time.
            for (int round = 0; round < 6 && !level; ++round)
                level = classify(levels, descent.run(20000 << round, 0.05 / furthest, 1e-6), 1e-6, 1e-5);
            if (level)
                ++ends[*level];
            else
                ADD_FAILURE() << "width " << width << ", start " << start << ": ended at " << descent.risk();
        }
        const auto reached = std::count_if(ends.begin(), ends.end(), [](int n) { return n > 0; });
        EXPECT_GE(reached, 2) << width;
    }
}

/// No change of the parameters, however it is chosen, lowers the risk of a certified level.
TEST_P(DataLevelsOn, NothingNearACertifiedLevelIsLower) {
    const Problem problem = problem_on(GetParam().rows);
    const TrueRisk risk(problem);
    std::mt19937_64 random(7);
    std::normal_distribution<double> normal;
    for (const int width : {1, 2, 3}) {
        const std::vector<Level> levels = levels_on(GetParam().rows, width);
        for (const Level& level : levels) {
            const Network network(width, 1, level.parameters);
            EXPECT_NEAR(risk(network), level.risk, 1e-13 * risk.variance());
            if (!level.certificate.certified) continue;
            for (int change = 0; change < 400; ++change) {
                Network other = network;
                const double size = std::pow(10, -5 - 3.0 * (change % 10) / 10);
                for (double& parameter : other.parameters) parameter += size * normal(random) * (random() % 2 == 0 ? 1 : 0);
                EXPECT_GE(risk(other), level.risk * (1 - 1e-13) - 1e-28) << level.shape << " " << size;
            }
        }
    }
}

TEST_P(DataLevelsOn, UnitsChangeNothing) {
    Rows scaled = GetParam().rows;
    for (auto& [x, y, weight] : scaled) x = 250 + 40 * x, y = 3000 - 0.5 * y, weight *= 8;
    for (const int width : {1, 2}) {
        const std::vector<Level> levels = levels_on(GetParam().rows, width), others = levels_on(scaled, width);
        ASSERT_EQ(levels.size(), others.size());
        for (std::size_t i = 0; i < levels.size(); ++i) {
            EXPECT_NEAR(others[i].risk, 0.25 * levels[i].risk, 1e-9 * levels.back().risk);
            EXPECT_EQ(others[i].neurons, levels[i].neurons);
            EXPECT_EQ(others[i].optimum_of, levels[i].optimum_of);
        }
    }
}

TEST(DataLevels, RefusesWhatIsNotSearched) {
    EXPECT_THROW(levels_on(vee, widest_on_data + 1), Error);
    EXPECT_THROW((void)find_levels(problem_on(vee, "clipping(0, 1)"), 1, *make_cpu_backend(1)), Error);
    Rows many;
    for (int k = 0; k < 2000; ++k) many.push_back({0.001 * k, std::sin(0.01 * k), 1});
    try {
        levels_on(many, 2);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::Usage);
        EXPECT_THAT(error.what(), ::testing::HasSubstr("2000 different inputs and width 2 make 3.2e+07 patterns"));
    }
}

}  // namespace
}  // namespace limrisk::optimum
