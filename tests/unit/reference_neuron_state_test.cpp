// The reference's neuron states: every row of the table, vertices of the box, data nodes.
#include <gtest/gtest.h>

#include <random>

#include "kernels/activation_kinds.hpp"
#include "reference/neuron_state.hpp"
#include "reference/samples.hpp"
#include "tests/kind_values.hpp"

namespace limrisk::reference {
namespace {

using State = NeuronState;

State state(const kernels::Activation& rule, float minimum, float maximum) {
    return neuron_state(Activation<float>(rule), ChainRange<float>{minimum, maximum});
}

TEST(ReferenceNeuronState, Relu) {
    for (const kernels::Activation& rule : {kernels::Activation{ActivationKind::Relu, 0, 0, 0}, {ActivationKind::PowerRelu, 0, 0, 3}}) {
        EXPECT_EQ(state(rule, -2, -1), State::Inactive);
        EXPECT_EQ(state(rule, -2, 0), State::Inactive);
        EXPECT_EQ(state(rule, 1, 1), State::Constant);
        EXPECT_EQ(state(rule, 0, 1), State::Linear);
        EXPECT_EQ(state(rule, -1, 1), State::Kinked);
        EXPECT_EQ(state(rule, not_a_number<float>, not_a_number<float>), State::Kinked);
    }
}

TEST(ReferenceNeuronState, LeakyRelu) {
    const kernels::Activation rule{ActivationKind::LeakyRelu, 0.1, 0, 0};
    EXPECT_EQ(state(rule, 0, 0), State::Inactive);
    EXPECT_EQ(state(rule, -1, -1), State::Constant);
    EXPECT_EQ(state(rule, -2, -1), State::Linear);
    EXPECT_EQ(state(rule, 0, 2), State::Linear);
    EXPECT_EQ(state(rule, -1, 2), State::Kinked);
}

TEST(ReferenceNeuronState, Clipping) {
    const kernels::Activation rule{ActivationKind::Clipping, 0, 1, 0};
    EXPECT_EQ(state(rule, -1, 0), State::Inactive);
    EXPECT_EQ(state(rule, 2, 3), State::Constant);
    EXPECT_EQ(state(rule, 1, 3), State::Kinked);  // at the upper level the left derivative is 1
    EXPECT_EQ(state(rule, 0.5, 0.5), State::Constant);
    EXPECT_EQ(state(rule, 0, 1), State::Linear);
    EXPECT_EQ(state(rule, -1, 0.5), State::Kinked);
    const kernels::Activation negative{ActivationKind::Clipping, -1, 0, 0};
    EXPECT_EQ(state(negative, 0.5, 1), State::Inactive);
    EXPECT_EQ(state(negative, -3, -1), State::Constant);
}

TEST(ReferenceNeuronState, HardSigmoidAndHardSwish) {
    const kernels::Activation sigmoid{ActivationKind::HardSigmoid, 3, 0, 0}, swish{ActivationKind::HardSwish, 0, 0, 0};
    for (const kernels::Activation& rule : {sigmoid, swish}) {
        EXPECT_EQ(state(rule, -5, -3), State::Inactive);
        EXPECT_EQ(state(rule, -5, -2.9f), State::Kinked);
        EXPECT_EQ(state(rule, -3, 3), State::Linear);  // a polynomial
        EXPECT_EQ(state(rule, 1, 1), State::Constant);
        EXPECT_EQ(state(rule, -1, 4), State::Kinked);
    }
    EXPECT_EQ(state(sigmoid, 3.5f, 5), State::Constant);
    EXPECT_EQ(state(sigmoid, 3, 5), State::Kinked);  // at the upper kink the left derivative is not 0
    EXPECT_EQ(state(swish, 3, 5), State::Linear);
}

TEST(ReferenceNeuronState, EluSoftsignAndIdentity) {
    const kernels::Activation elu{ActivationKind::Elu, 1, 0, 0}, softsign{ActivationKind::Softsign, 0, 0, 0},
        linear{ActivationKind::Identity, 0, 0, 0};
    EXPECT_EQ(state(elu, 0, 2), State::Linear);
    EXPECT_EQ(state(elu, -1, 2), State::Kinked);
    EXPECT_EQ(state(elu, -90, -60), State::Constant);  // by rounding; it is not frozen
    EXPECT_EQ(state(elu, 0, 0), State::Inactive);
    EXPECT_EQ(state(softsign, 0, 0), State::Inactive);
    EXPECT_EQ(state(softsign, -1, -0.5f), State::Kinked);
    EXPECT_EQ(state(linear, -1, 2), State::Linear);
    EXPECT_EQ(state(linear, 0, 0), State::Inactive);
    EXPECT_EQ(state(linear, 2, 2), State::Constant);
}

TEST(ReferenceNeuronState, Smooth) {
    EXPECT_EQ(state({ActivationKind::Softplus, 0, 0, 0}, -300, -200), State::Inactive);  // underflows to 0
    EXPECT_EQ(state({ActivationKind::Tanh, 0, 0, 0}, 0, 0), State::Inactive);
    EXPECT_EQ(state({ActivationKind::Tanh, 0, 0, 0}, 30, 40), State::Constant);
    EXPECT_EQ(state({ActivationKind::Logistic, 0, 0, 0}, -1, 1), State::Kinked);
}

/// Frozen means that A' is 0 at every point of the range, not by rounding; a frozen neuron is inactive or constant.
TEST(ReferenceNeuronState, FrozenNeuronsOfEveryActivation) {
    for (const kernels::Activation& rule : test::all_activations()) {
        const char* const name = kernels::traits_of(rule.kind).name;
        const Activation<float> activation(rule);
        bool any = false;
        for (float low = -400; low<400; low += low> - 3 && low < 3 ? 0.25f : 7)
            for (const float length : {0.0f, 0.25f, 3.0f, 500.0f}) {
                const ChainRange<float> range{low, low + length};
                if (!frozen(activation, range)) continue;
                any = true;
                const State in = neuron_state(activation, range);
                EXPECT_TRUE(in == State::Inactive || in == State::Constant) << name << ' ' << low << ' ' << length;
                for (const float part : {0.0f, 0.3f, 1.0f}) EXPECT_EQ(activation.derivative(low + part * length), 0) << name;
            }
        EXPECT_EQ(any, kernels::has_frozen_neurons(rule.kind)) << name;
    }
    const Activation<float> clipping(kernels::Activation{ActivationKind::Clipping, 0, 1, 0});
    EXPECT_TRUE(frozen(clipping, ChainRange<float>{-2, 0}));
    EXPECT_FALSE(frozen(clipping, ChainRange<float>{1, 2}));        // the left derivative at the upper level is 1
    EXPECT_FALSE(frozen(clipping, ChainRange<float>{0.5f, 0.5f}));  // constant, but it moves
}

TEST(ReferenceNeuronState, RangeOnBoxAndNodes) {
    const Shape shape(1, 2);
    const std::vector<float> parameters{2, -3, 0.5, 1, 0};  // z = 2 x - 3 y + 0.5
    InputLaw box{InputLaw::Kind::Uniform, 2, true, -1, 4, 0, 1};
    const ChainRange<float> on_box = range_on_box(shape, parameters, 0, box);
    EXPECT_EQ(on_box.maximum, 2 * 4 + 3 * 1 + 0.5f);
    EXPECT_EQ(on_box.minimum, -2 * 1 - 3 * 4 + 0.5f);
    box.bounded = false;
    EXPECT_EQ(range_on_box(shape, parameters, 0, box).maximum, infinity<float>);
    EXPECT_EQ(range_on_box(shape, parameters, 0, box).minimum, -infinity<float>);
    EXPECT_EQ(range_on_box(shape, std::vector<float>{0, 0, 0.5f, 1, 0}, 0, box).minimum, 0.5f);
    const ChainRange<float> on_nodes = range_on_nodes(shape, parameters, 0, std::vector<float>{0, 0, 1, 1, not_a_number<float>, 0});
    EXPECT_EQ(on_nodes.maximum, 0.5f);
    EXPECT_EQ(on_nodes.minimum, -0.5f);
}

TEST(ReferenceNeuronState, RangeOnABoxWithOwnEnds) {
    const Shape shape(1, 2);
    InputLaw box;
    box.dimension = 2;
    box.lows = {-1, 2};
    box.highs = {4, 3};
    const ChainRange<float> range = range_on_box(shape, std::vector<float>{2, -3, 0.5, 1, 0}, 0, box);
    EXPECT_EQ(range.maximum, 2 * 4 - 3 * 2 + 0.5f);
    EXPECT_EQ(range.minimum, -2 * 1 - 3 * 3 + 0.5f);
}

/// Neurons at the very border of being inactive, and the drawn points that are nearest to making them active: no chain leaves the range,
/// and the range is no wider than its room says.
template <class Real>
void expect_range_on_ball(std::int64_t d, double radius, double scale) {
    const Shape shape(1, d);
    std::mt19937_64 engine(11);
    std::normal_distribution<double> normal;
    for (int neuron = 0; neuron < 300; ++neuron) {
        std::vector<Real> parameters(static_cast<std::size_t>(d) + 3);
        double squares = 0;
        for (std::size_t k = 0; k < static_cast<std::size_t>(d); ++k) {
            parameters[k] = static_cast<Real>(scale * normal(engine));
            squares += static_cast<double>(parameters[k]) * static_cast<double>(parameters[k]);
        }
        const double norm = std::sqrt(squares), unit = sizeof(Real) == 4 ? 0x1p-24 : 0x1p-53;
        const double sigma = (4 * static_cast<double>(d) + 32) * unit;
        // b between the border in real numbers and that of the certificate, or elsewhere.
        const double place = neuron % 3 == 0 ? -1 : neuron % 3 == 1 ? -1 - 2 * sigma * (neuron % 7) / 6.0 : normal(engine);
        parameters[static_cast<std::size_t>(d)] = static_cast<Real>(place * norm * radius);
        InputLaw ball;
        ball.kind = InputLaw::Kind::Ball;
        ball.dimension = d;
        ball.bounded = false;
        ball.radius = radius;
        const ChainRange<Real> range = range_on_box(shape, parameters, 0, ball);
        const double b = static_cast<double>(parameters[static_cast<std::size_t>(d)]);
        EXPECT_GE(range.maximum, b + norm * radius);
        EXPECT_LE(range.maximum, b + norm * radius + 3 * sigma * (std::abs(b) + norm * radius));
        for (int point = 0; point < 50; ++point) {
            // In the direction of w, or near it: all roundings of the coordinates upwards that a point can have.
            std::vector<Real> x;
            const double away = point == 0 ? 0 : std::pow(10.0, -point % 9);
            for (std::size_t k = 0; k < static_cast<std::size_t>(d); ++k)
                x.push_back(static_cast<Real>(static_cast<double>(parameters[k]) / norm + away * normal(engine)));
            InputLaw sphere = ball;
            sphere.kind = InputLaw::Kind::Sphere;
            move_to_radius(x, sphere, 0);
            const Real up = chain(shape, parameters, 0, x.data());
            for (Real& one : x) one = -one;
            const Real down = chain(shape, parameters, 0, x.data());
            EXPECT_LE(std::max(up, down), range.maximum) << d;
            EXPECT_GE(std::min(up, down), range.minimum) << d;
        }
    }
}

TEST(ReferenceNeuronState, RangeOnABallHoldsWithAllRounding) {
    for (const std::int64_t d : {2, 3, 16, 100})
        for (const auto& [radius, scale] : {std::pair{1.0, 1.0}, {1e-3, 1e5}, {1e4, 1e-12}}) {
            expect_range_on_ball<float>(d, radius, scale);
            expect_range_on_ball<double>(d, radius, scale);
        }
    const Shape shape(1, 2);
    InputLaw ball;
    ball.kind = InputLaw::Kind::Ball;
    ball.dimension = 2;
    ball.bounded = false;
    const std::vector<float> flat{0, 0, -0.5f, 1, 0};
    EXPECT_EQ(range_on_box(shape, flat, 0, ball).maximum, -0.5f);
    EXPECT_EQ(range_on_box(shape, flat, 0, ball).minimum, -0.5f);
    // Squares that are 0 in float: the weights are not.
    const std::vector<float> tiny{1e-30f, 0, 0, 1, 0};
    EXPECT_GT(range_on_box(shape, tiny, 0, ball).maximum, 0);
}

}  // namespace
}  // namespace limrisk::reference
