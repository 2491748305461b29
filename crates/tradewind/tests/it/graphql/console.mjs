// The console of GraphQL in a browser: with the whole schema beside them, Run and the answer stay in sight.
import assert from 'node:assert/strict';
import { journey } from '../browser/browser.mjs';

await journey(async ({ given, open, step }) => {
  for (const width of [1280, 900]) {
    step(`${width} wide`);
    const page = await open({ width });
    await page.goto(new URL('/docs/graphql', given.base).href);
    await page.fill('#key', given.key);
    await page.fill('#tenant', given.tenant);
    await page.click('#load');
    await page.locator('#types li').first().waitFor();
    const size = await page.evaluate(() => {
      const { scrollWidth, scrollHeight } = document.documentElement;
      const types = document.querySelector('#types');
      return { scrollWidth, scrollHeight, high: innerHeight, shown: types.clientHeight, whole: types.scrollHeight };
    });
    assert.ok(size.scrollWidth <= width && size.whole > size.shown && size.shown <= size.high, JSON.stringify(size));
    if (width === 1280) assert.equal(size.scrollHeight, size.high, 'the page itself does not scroll');
    await page.fill('#query', '{ leads { totalCount } }');
    await page.click('#run');
    const answer = page.locator('#answer', { hasText: 'totalCount' });
    await answer.waitFor();
    if (width === 1280) {
      for (const part of ['#run', '#answer', '#types']) {
        const box = await page.locator(part).boundingBox();
        assert.ok(box.y >= 0 && box.y + box.height <= size.high, `${part}: ${JSON.stringify(box)}`);
      }
    }
    await page.close();
  }
});
