// gnuplot's SVG made fit for a page.
#include <gmock/gmock.h>

#include "limrisk/error.hpp"
#include "report/svg.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// As gnuplot 5.4 writes it, in short.
constexpr const char* drawn = R"(<?xml version="1.0" encoding="utf-8"  standalone="no"?>
<svg 
 width="400" height="300"
 viewBox="0 0 400 300"
 xmlns="http://www.w3.org/2000/svg"
>

<title>Gnuplot</title>
<desc>Produced by GNUPLOT 5.4 patchlevel 4 </desc>

<g id="gnuplot_canvas">
<defs>
	<circle id='gpPt5' stroke-width='0.222' stroke='currentColor' cx='0' cy='0' r='1'/>
	<use xlink:href='#gpPt5' id='gpPt6' fill='currentColor' stroke='none'/>
	<path id='gpPt7' stroke-width='0.222' stroke='currentColor' d='M0,-1.33'/>
	<filter id='textbox' x='0'><feFlood flood-color='white'/></filter>
</defs>
<g fill="none" color="black" stroke="currentColor" stroke-width="1.00" stroke-linecap="butt" stroke-linejoin="miter">
</g>
	<g id="gnuplot_plot_1" ><title>gnuplot_plot_1</title>
	<polygon fill = 'rgb(  0, 114, 178)' fill-opacity = '0.2' points = '1,2 '/>
	<path stroke='rgb(213,  94,   0)' stroke-dasharray='2.5,4.0'  d='M1,2 L3,4  '/>
	<use xlink:href='#gpPt6' transform='translate(54.53,233.25) scale(4.50)' color='rgb(213,  94,   0)'/>
	<g clip-path='url(#gpClip)' fill='#56B4E9'><text>a &lt;b> &amp; c</text></g>
	</g>
</g>
</svg>
)";

Figure named(const std::string& name) {
    Figure figure;
    figure.name = name;
    figure.title = "P & Q";
    figure.meaning = "what <it> shows";
    figure.width = 410;
    figure.height = 310;
    return figure;
}

TEST(ReportSvg, IdsAndReferencesBelongToTheFigure) {
    const std::string svg = adapted_svg(drawn, named("one"));
    EXPECT_THAT(svg, HasSubstr("<use xlink:href=\"#one-gpPt6\" transform=\"translate(54.53,233.25) scale(4.50)\""));
    EXPECT_THAT(svg, HasSubstr("<use xlink:href=\"#one-gpPt5\" id=\"one-gpPt6\" fill=\"currentColor\" stroke=\"none\"/>"));
    EXPECT_THAT(svg, HasSubstr("clip-path=\"url(#one-gpClip)\""));
    EXPECT_THAT(svg, Not(HasSubstr("\"gp")));
    EXPECT_THAT(svg, Not(HasSubstr("\"#gp")));
    // What nothing refers to is gone, what a mark is made of is not.
    EXPECT_THAT(svg, Not(HasSubstr("gpPt7")));
    EXPECT_THAT(svg, Not(HasSubstr("filter")));
    EXPECT_THAT(svg, HasSubstr("<circle id=\"one-gpPt5\""));
}

TEST(ReportSvg, ColoursHaveOneSpelling) {
    const std::string svg = adapted_svg(drawn, named("one"));
    EXPECT_THAT(svg, HasSubstr("<polygon fill=\"#0072b2\" fill-opacity=\"0.2\" points=\"1,2 \"/>"));
    EXPECT_THAT(svg, HasSubstr("stroke=\"#d55e00\""));
    EXPECT_THAT(svg, HasSubstr("color=\"#d55e00\""));
    EXPECT_THAT(svg, HasSubstr("fill=\"#56b4e9\""));
    EXPECT_THAT(svg, Not(HasSubstr("rgb(")));
}

TEST(ReportSvg, SaysWhatItIs) {
    const std::string svg = adapted_svg(drawn, named("one"));
    EXPECT_EQ(svg.rfind("<svg ", 0), 0u);
    EXPECT_THAT(svg,
                HasSubstr("role=\"img\" aria-labelledby=\"one-title one-meaning\" width=\"410\" height=\"310\" viewBox=\"0 0 410 310\""));
    EXPECT_THAT(svg, HasSubstr("<title id=\"one-title\">P &amp; Q</title><desc id=\"one-meaning\">what &lt;it&gt; shows</desc>"));
    EXPECT_THAT(svg, Not(HasSubstr("Gnuplot")));
    EXPECT_THAT(svg, Not(HasSubstr("<title>gnuplot_plot_1")));
    EXPECT_THAT(svg, HasSubstr("<text>a &lt;b> &amp; c</text>"));
}

TEST(ReportSvg, RefusesWhatIsNone) {
    EXPECT_THROW(adapted_svg("", named("one")), Defect);
    EXPECT_THROW(adapted_svg("no svg", named("one")), Defect);
    EXPECT_THROW(adapted_svg("<svg><path d='1", named("one")), Defect);
    EXPECT_THROW(adapted_svg("<svg><path d='1></svg>", named("one")), Defect);
}

}  // namespace
}  // namespace limrisk::testing
