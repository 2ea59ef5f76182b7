// Nodes, weights and meshes of the program are those of the page (docs/numerics.md section 12), as written anew in the reference: bit by
// bit.
#include <gtest/gtest.h>

#include "evaluation/breaks.hpp"
#include "evaluation/scalar.hpp"
#include "evaluation_fixtures.hpp"
#include "reference/mesh.hpp"

namespace limrisk {
namespace {

using testing::normal_law;
using testing::truncated_law;
using testing::uniform_law;

std::vector<InputLaw> laws(std::int64_t dimension) {
    return {uniform_law(dimension, -0.3, 1.7), uniform_law(dimension, 0, 1e-6), normal_law(dimension, 0.5, 2),
            truncated_law(dimension, 0.1, 0.7, -1, 20), truncated_law(dimension, -1, 0.5, 2, 3)};
}

TEST(ReferenceRule, NodesAndWeights) {
    for (const std::int64_t dimension : {1, 2, 3, 4, 8})
        for (const InputLaw& law : laws(dimension))
            for (const std::int64_t count : {4, 12, 64}) {
                const reference::Nodes expected = reference::rule_nodes(law, count);
                const NodeSet found = evaluation_rule(law, count);
                EXPECT_EQ(found.inputs, expected.inputs) << dimension << " " << count;
                EXPECT_EQ(found.weights, expected.weights) << dimension << " " << count;
                if (!law.bounded || dimension > 3) continue;
                EXPECT_EQ(midpoint_grid(law, count).inputs, reference::grid_nodes(law, count).inputs);
                EXPECT_EQ(midpoint_grid(law, count).weights, reference::grid_nodes(law, count).weights);
            }
}

TEST(ReferenceRule, NodesOfSpheresBallsAndBoxesWithOwnEnds) {
    using Kind = InputLaw::Kind;
    for (const std::int64_t dimension : {2, 3, 4, 7})
        for (const InputLaw& law :
             {testing::round_law(Kind::Sphere, dimension, 1), testing::round_law(Kind::Ball, dimension, 2.5),
              testing::with_own_ends(uniform_law(dimension, -0.3, 1.7)), testing::with_own_ends(truncated_law(dimension, 0.1, 0.7, -1, 2))})
            for (const std::int64_t count : {4, 12, 64}) {
                const reference::Nodes expected = reference::rule_nodes(law, count);
                const NodeSet found = evaluation_rule(law, count);
                EXPECT_EQ(found.inputs, expected.inputs) << dimension << " " << count;
                EXPECT_EQ(found.weights, expected.weights) << dimension << " " << count;
                if (law.is_round() || dimension > 3) continue;
                EXPECT_EQ(midpoint_grid(law, count).inputs, reference::grid_nodes(law, count).inputs);
                EXPECT_EQ(midpoint_grid(law, count).weights, reference::grid_nodes(law, count).weights);
            }
}

TEST(ReferenceRule, LawsAndTheirConstants) {
    for (const InputLaw& law : laws(1)) {
        const reference::Ends ends = reference::domain_of(law);
        EXPECT_EQ(integration_domain(law).low, ends.low);
        EXPECT_EQ(integration_domain(law).high, ends.high);
        EXPECT_EQ(density_normalizer(law), reference::density_normalizer_of(law));
    }
    for (double z = -41; z < 9; z += 0.171875) EXPECT_EQ(normal_probability(z), reference::normal_probability(z)) << z;
}

TEST(ReferenceRule, MeshesOfOrdinaryTargets) {
    const char* targets[] = {"0.7",
                             "x1^2 + 2*x1",
                             "abs(x1 - 0.3)",
                             "sin(3*x1) + cos(x1)",
                             "if(x1 < 0.25, exp(x1), -tanh(x1))",
                             "max(x1, 0.5)^1.5 - (x1 - 9)^-2",
                             "sqrt(abs(x1 - 0.3))",
                             "abs((x1 - 0.3)^2 - 0.000000001) + min(x1, 0.4)",
                             "sqrt((x1 - 0.3)^2) + tanh(100*x1)",
                             "1/(x1 + 40) + (x1 >= 0.1)*(x1 != 0.5)",
                             "log(abs(x1) + 0.001)",
                             "abs(x1)^0.25 + abs(sin(5*x1))"};
    for (const char* text : targets) {
        const Expression target = Expression::compile(text, 1);
        for (const InputLaw& law : laws(1)) {
            const Domain domain = integration_domain(law);
            EXPECT_EQ(target_breaks(domain, target.program()), reference::breaks_of(target.code(), domain.low, domain.high)) << text;
            EXPECT_EQ(target_mesh(law, target.program()).points, reference::mesh_of(law, target.code())) << text;
        }
    }
}

}  // namespace
}  // namespace limrisk
