// The reference's neuron states: every row of the table, vertices of the box, data nodes.
#include <gtest/gtest.h>

#include "kernels/kinds.hpp"
#include "reference/neuron_state.hpp"
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

}  // namespace
}  // namespace limrisk::reference
