// Optima scale with the units of x and y as they must, found from as many starts; and targets that networks represent exactly.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "limrisk/error.hpp"
#include "optimum/hierarchy.hpp"
#include "optimum_fixture.hpp"

namespace limrisk::optimum {
namespace {

constexpr int widths = 4;

std::string uniform_input(double low, double span) {
    return fmt::format("{{ law = \"uniform\", dimension = 1, low = {:.17e}, high = {:.17e} }}", low, low + span);
}

std::string normal_input(double mean, double deviation) {
    return fmt::format("{{ law = \"normal\", dimension = 1, mean = {:.17e}, deviation = {:.17e} }}", mean, deviation);
}

/// `target` with (x1 - origin)/span for x1, times scale, plus mean.
std::string in_units(std::string target, const LineUnits& units) {
    const std::string argument = fmt::format("((x1 - {:.17g})/{:.17g})", units.origin, units.span);
    for (std::size_t at = 0; (at = target.find("x1", at)) != std::string::npos; at += argument.size()) target.replace(at, 2, argument);
    return fmt::format("{:.17g} + {:.17g}*({})", units.mean, units.scale, target);
}

struct Search {
    double noise;
    std::vector<LineOptimum> optima;
};

Search search(const std::string& target, const std::string& input, int largest) {
    const LineIntegral integral(problem(target, input));
    LineEffort effort;
    effort.random_starts = 12;
    return {integral.noise(), ReluLine(integral, largest, effort).optima()};
}

/// The search stops at a relative 1e-9 or better; a risk |f - g|^2 moves by 2 |f - g| noise with rounding errors of f.
double tolerance(double risk, double noise) { return 1e-9 + 2 * noise / std::sqrt(risk); }

void expect_scaled(const Search& base, const Search& moved, double scale, const std::string& what, bool same_bits) {
    for (std::size_t h = 0; h < base.optima.size(); ++h) {
        const LineOptimum &one = base.optima[h], &other = moved.optima[h];
        const double factor = scale * scale, risk = factor * one.fit.risk;
        const double allowed = tolerance(one.fit.risk, base.noise) + tolerance(risk, moved.noise);
        EXPECT_NEAR(other.fit.risk / risk, 1, allowed) << what << " width " << h;
        // Its grid follows the mesh, which may have another panel where rounding differs.
        EXPECT_NEAR(other.lower_bound / (factor * one.lower_bound), 1, 0.01) << what << " width " << h;
        EXPECT_EQ(other.attained, one.attained) << what << " width " << h;
        // Where rounding differs a start may end in another basin.
        EXPECT_GE(other.reached, one.reached / 2) << what << " width " << h;
        if (!same_bits) continue;
        EXPECT_EQ(other.fit.risk, risk) << what << " width " << h;
        EXPECT_EQ(other.starts, one.starts) << what << " width " << h;
        EXPECT_EQ(other.reached, one.reached) << what << " width " << h;
    }
}

TEST(OptimumUnits, RisksScaleWithTheUnits) {
    const LineUnits several[] = {{0, 1e-6, 0, 1}, {-3, 3e5, 0, 7e9}, {10, 1, 1e3, -1}, {1e4, 1, 1e-3, 1e-5}};
    for (const char* target : {"x1^2", "sin(3*x1)", "if(x1 < 0.5, x1^2, 1 - x1)"}) {
        const Search base = search(target, uniform_input(0, 1), 3);
        for (const LineUnits& units : several) {
            const std::string text = in_units(target, units);
            expect_scaled(base, search(text, uniform_input(units.origin, units.span), 3), units.scale, text, false);
        }
        const LineUnits binary{0, 0x1p-20, 0, 0x1p-13};  // no rounding error differs
        expect_scaled(base, search(in_units(target, binary), uniform_input(0, binary.span), 3), binary.scale, "binary units", true);
    }
}

TEST(OptimumUnits, RisksScaleWithNormalLaws) {
    const Search base = search("sin(2*x1) + x1^2", normal_input(0, 1), 3);
    for (const LineUnits& units : {LineUnits{0, 1e-6, 0, 1}, {50, 2, 0, 3}, {-1e3, 0.5, 10, 1e-4}}) {
        const std::string text = in_units("sin(2*x1) + x1^2", units);
        expect_scaled(base, search(text, normal_input(units.origin, units.span), 3), units.scale, text, false);
    }
}

// A linear neuron and h - 1 kinks make h equal pieces of length 1/h, error (1/h)^4/180. Without it the slope at the low end, 2 low, is
// minus the sum of the left bends: a steep piece between two kinks can make up for it, the shorter the larger low is, and saves a part of
// order 1/low. Width 1 has no such piece.
TEST(OptimumUnits, SquareFarFromZero) {
    for (const double low : {10.0, 1e3, 1e4}) {
        const Search found = search("x1^2", uniform_input(low, 1), widths);
        for (int h = 1; h <= widths; ++h) {
            const LineOptimum& optimum = found.optima[static_cast<std::size_t>(h)];
            const double risk = std::pow(h, -4.0) / 180;
            EXPECT_LE(optimum.fit.risk / risk, 1 + tolerance(risk, found.noise)) << low << " width " << h;
            EXPECT_GE(optimum.fit.risk / risk, 1 - (h == 1 ? tolerance(risk, found.noise) : 0.2 / low)) << low << " width " << h;
            EXPECT_GE(optimum.reached, 1) << low << " width " << h;
            EXPECT_LE(optimum.lower_bound, risk);
            EXPECT_GE(optimum.lower_bound, 0.9 * risk * std::pow(h / (h + 1.0), 4)) << low << " width " << h;
        }
    }
    const Search tiny = search("x1^2", uniform_input(0, 1e-6), widths);
    for (int h = 1; h <= widths; ++h)
        EXPECT_NEAR(tiny.optima[static_cast<std::size_t>(h)].fit.risk / (1e-24 * std::pow(2 / (2 * h + 1.0), 4) / 180), 1, 1e-9) << h;
}

// Representable from `needed` neurons on: there the risk is rounding, before it is not.
TEST(OptimumUnits, TargetsThatNetworksRepresent) {
    struct Case {
        const char* target;
        std::int64_t needed;
    };
    const std::unique_ptr<Backend> backend = make_cpu_backend(1);
    for (const char* input :
         {"{ law = \"uniform\", dimension = 1, low = 0, high = 1 }", "{ law = \"uniform\", dimension = 1, low = -1000, high = 3000 }",
          "{ law = \"normal\", dimension = 1, mean = 0.3, deviation = 0.7 }"})
        for (const Case& c : {Case{"0", 0},
                              {"0.7", 0},
                              {"1e8 + 0*x1", 0},
                              {"(x1 + 1) - x1", 0},
                              {"-1e-12", 0},
                              {"3*x1 - 0.1", 1},
                              {"1e8 + 1e-2*x1", 1},
                              {"max(x1, 0.3)", 1},
                              {"abs(x1 - 0.3)", 2},
                              {"abs(x1 - 0.3) + abs(x1 - 0.6)", 2}}) {
            const Problem problem = optimum::problem(c.target, input);
            const TrueRisk risk(problem);
            const double zero = 4 * std::pow(risk.line().noise(), 2) + 1e-26 * risk.variance();
            const std::string what = fmt::format("{} on {}", c.target, input);
            const std::vector<Optimum> optima = find_optima(problem, 3, *backend);
            for (const Optimum& optimum : optima) {
                if (optimum.width < c.needed) {
                    EXPECT_GT(optimum.risk, 1e6 * zero) << what << " width " << optimum.width;
                } else {
                    EXPECT_LE(optimum.risk, zero) << what << " width " << optimum.width;
                    EXPECT_TRUE(optimum.attained) << what;
                    EXPECT_EQ(optimum.lower_bound.value_or(0), c.needed == 0 ? optimum.lower_bound.value_or(0) : 0) << what;
                    const Network network(optimum.width, 1, optimum.parameters);
                    EXPECT_LE(risk(network), 4 * zero) << what << " width " << optimum.width;
                }
                EXPECT_LE(optimum.lower_bound.value_or(0), optimum.risk) << what;
                EXPECT_GE(optimum.reached, 1) << what;
            }
            const std::vector<Level> levels = find_levels(problem, 3, *backend);
            EXPECT_LE(levels.front().risk, zero) << what;
            EXPECT_EQ(levels.front().neurons, c.needed) << what;
            EXPECT_EQ(levels.front().optimum_of, c.needed) << what;
            EXPECT_EQ(levels.size() == 1, c.needed == 0) << what;
            // Kinks in the tail of a normal law cost nothing that could be told from rounding, and get no certificate.
            if (problem.input.kind == InputLaw::Kind::Normal) continue;
            for (const Level& level : levels) EXPECT_TRUE(level.certificate.certified) << what << " level " << level.risk;
        }
}

}  // namespace
}  // namespace limrisk::optimum
