// Local minima on data points: closed forms, and the ends of gradient descents from random starts, written here by the formula.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "limrisk/error.hpp"
#include "optimum/data_levels.hpp"
#include "optimum/hierarchy.hpp"
#include "optimum/optimum.hpp"
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

/// The least risk of networks whose kinks lie on a grid, with the best outer weights by the formulas of least squares: written here without
/// the code of the search.
double least_on_grid(const Rows& rows, int width, int grid) {
    const auto count = static_cast<Eigen::Index>(rows.size());
    Eigen::VectorXd root(count), y(count), x(count);
    double mass = 0, low = HUGE_VAL, high = -HUGE_VAL;
    for (const auto& row : rows) mass += row[2], low = std::min(low, row[0]), high = std::max(high, row[0]);
    for (Eigen::Index m = 0; m < count; ++m) {
        const auto& [at, value, weight] = rows[static_cast<std::size_t>(m)];
        root(m) = std::sqrt(weight / mass), x(m) = at, y(m) = root(m) * value;
    }
    std::vector<Eigen::VectorXd> columns{root.cwiseProduct(x)};  // a linear neuron
    for (int k = 0; k <= grid; ++k) {
        const double kink = low + (high - low) * k / grid;
        columns.emplace_back(root.cwiseProduct((x.array() - kink).max(0).matrix()));
        columns.emplace_back(root.cwiseProduct((kink - x.array()).max(0).matrix()));
    }
    const auto risk_of = [&](std::vector<std::size_t> chosen) {
        Eigen::MatrixXd features(count, static_cast<Eigen::Index>(chosen.size()) + 1);
        features.col(0) = root;
        for (std::size_t k = 0; k < chosen.size(); ++k) features.col(static_cast<Eigen::Index>(k) + 1) = columns[chosen[k]];
        return (y - features * features.colPivHouseholderQr().solve(y)).squaredNorm();
    };
    double least = HUGE_VAL;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (width == 1) least = std::min(least, risk_of({i}));
        for (std::size_t j = 0; width == 2 && j < i; ++j) least = std::min(least, risk_of({i, j}));
    }
    return least;
}

std::vector<Optimum> optima_on(const Problem& problem, std::int64_t largest, const OptimumEffort& effort = {}) {
    return find_optima(problem, largest, *make_cpu_backend(1), effort);
}

/// The search is exact: nothing on a grid of kinks is below, and the grid comes close.
TEST_P(DataLevelsOn, OptimaAgainstAGridOfKinks) {
    const std::vector<Optimum> optima = optima_on(problem_on(GetParam().rows), 2);
    for (const int width : {1, 2}) {
        const Optimum& optimum = optima[static_cast<std::size_t>(width)];
        const double grid = least_on_grid(GetParam().rows, width, width == 1 ? 4000 : 60), scale = optima[0].risk;
        EXPECT_GE(grid, optimum.risk - 1e-13 * scale) << width;
        EXPECT_LE(grid, optimum.risk + (width == 1 ? 1e-3 : 5e-2) * scale) << width;
        EXPECT_EQ(optimum.method, "patterns");
        EXPECT_EQ(optimum.ended, "all");
        EXPECT_TRUE(optimum.is_global()) << width << ": " << optimum.risk << ", bound " << optimum.lower_bound.value_or(-1);
        EXPECT_LE(*optimum.lower_bound, optimum.risk);
        EXPECT_NEAR(TrueRisk(problem_on(GetParam().rows))({width, 1, optimum.parameters}), optimum.risk, 1e-13 * scale);
    }
}

TEST(DataOptima, ClosedFormsAndInterpolation) {
    const std::vector<Optimum> optima = optima_on(problem_on(vee), 4);
    ASSERT_EQ(optima.size(), 5u);
    EXPECT_NEAR(optima[0].risk, 2.0 / 9, 1e-15);
    EXPECT_NEAR(optima[1].risk, 1.0 / 6, 1e-15);
    EXPECT_EQ(optima[1].next, optima[0].risk);
    for (std::size_t width : {2, 3, 4}) {
        EXPECT_EQ(optima[width].risk, 0) << width;
        EXPECT_TRUE(optima[width].is_zero());
        EXPECT_EQ(optima[width].parameters.size(), 3 * width + 1);
    }
    for (const Optimum& optimum : optima) EXPECT_TRUE(optimum.is_global());
    EXPECT_FALSE(optima[1].is_zero());
    EXPECT_FALSE(trains_for_optima(problem_on(vee), 4));
    EXPECT_TRUE(trains_for_optima(problem_on(vee), 5));
    EXPECT_TRUE(trains_for_optima(problem_on(vee, "clipping(0, 1)"), 1));
}

/// Points of weight 0 are none.
TEST(DataOptima, WeightsCount) {
    const Rows rows{{-1, 1, 1}, {0, 0, 2}, {1, 1, 1}, {2, -5, 0}};
    const std::vector<Optimum> optima = optima_on(problem_on(rows), 1);
    EXPECT_NEAR(optima[0].risk, 0.25, 1e-15);
    EXPECT_NEAR(optima[1].risk, 1.0 / 6, 1e-15) << "exact at one end, 1/3 at the three other parts of the weight: 3/4 * 2/9";
}

/// Widths beyond the patterns are trained, from the best of them on; nothing is proved of those.
TEST(DataOptima, WiderNetworksAreTrained) {
    const std::vector<Optimum> optima =
        optima_on(problem_on(exclusive_or), 5, {{}, {.replicas = 4, .steps = 50, .polished = 2, .extensions = 4, .drawn = 2, .least = 4}});
    ASSERT_EQ(optima.size(), 6u);
    for (std::size_t width = 1; width < optima.size(); ++width) EXPECT_LE(optima[width].risk, optima[width - 1].risk);
    EXPECT_NEAR(optima[1].risk, 1.8, 1e-12);
    EXPECT_NEAR(optima[2].risk, 1.125, 1e-12);
    EXPECT_EQ(optima[4].method, "patterns");
}

/// Inputs that are nearly equal: a fit that rounding decides proves nothing, and the bound of the pieces is left.
TEST(DataOptima, NearlyEqualInputsProveNothing) {
    const std::vector<Optimum> optima = optima_on(problem_on({{0, 0, 1}, {1e-7, 1, 1}, {2e-7, 0, 1}, {1, 1, 1}, {2, 0, 1}}), 1);
    EXPECT_GT(optima[1].risk, 0);
    EXPECT_LE(*optima[1].lower_bound, optima[1].risk);
    EXPECT_EQ(optima[1].is_global(), *optima[1].lower_bound >= optima[1].risk * (1 - 1e-9));
}

}  // namespace
}  // namespace limrisk::optimum
